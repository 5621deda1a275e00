//! The one integration test binary: every test in it has real servers, and leaves nothing behind.

mod keeper;
mod tidy;
mod world;
