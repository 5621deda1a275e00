//! The one binary: roles, `up`, migrations. A library as well, so that the integration tests compose the very same
//! parts.

pub mod migrate;
pub mod up;
