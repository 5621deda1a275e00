//! Measurements and trials that anybody can repeat: `kalel bench`.

pub mod append;
pub mod sample;
