//! The `kalel` binary as real processes: killed in the middle, its servers killed under it, started with half a
//! configuration.

mod cut;
mod plugs;
mod rolling;
pub mod served;
mod start;
