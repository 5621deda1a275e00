//! Signing in with a telephone: over HTTP, with codes that a real worker sends through a gateway's fake.

mod attack;
mod codes;
pub mod desk;
mod devices;
mod moments;
mod number;
mod pins;
mod recovery;
mod recycled;
mod sessions;
mod staff;
mod strangers;
