//! An export: a part of the log in one file that proves itself, and its proof.
//!
//! ```text
//! {"export":{"v":1,"from":1,"to":1000,"keys":["…"],"seal":"<signed checkpoint>","edge":[…]}}
//! {"tile":{"level":0,"index":0,"hashes":"…"}}           before the first of its 256 events
//! {"v":1,"position":1,…}                                the events, byte for byte as they are hashed
//! {"checkpoint":"<signed checkpoint>"}                  each after the last event under it
//! {"end":{"events":1000,"checkpoints":1}}
//! ```
//!
//! The signed checkpoint gives the root, the root proves the tiles at the edge, each tile the tiles under it, and these
//! their events: whoever reads from top to bottom believes nothing that is not proven yet, needs to remember one tile a
//! level, and can say which event is the first that is wrong.

mod format;
mod proving;
mod verify;
mod write;

pub(crate) use verify::open;
pub use verify::{Bad, Trust, Verified, verify};
pub use write::{ExportError, Exported, Range, export};
