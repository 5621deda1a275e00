//! The memory of Kalel: the append lane, reading, guards, idempotency, the keys of people, and what proves it. The only
//! writer of schema `event_log`.

mod answers;
mod append;
pub mod auth;
mod cache;
mod cipher;
mod clock;
mod connect;
pub mod export;
pub mod failpoint;
pub mod fence;
mod fork;
pub mod health;
mod history;
mod identity;
pub mod inbox;
mod keyring;
mod lane;
pub mod link;
pub mod merkle;
mod meta;
pub mod note;
mod pools;
mod read;
pub mod receipt;
mod recorded;
pub mod seal;
mod sight;
mod store;
mod subjects;
pub mod webhook_out;

pub use answers::{Answer, AnswerKey, Answers, Fingerprint, FirstAnswer, Idempotency, Keep, Record};
pub use append::{Append, AppendError, Appended, Refusal};
pub use clock::{Clock, ClockError};
pub use failpoint::failpoint;
pub use fence::{Fence, Token};
pub use fork::ForkError;
pub use history::{AsOf, Moment, MomentError};
pub use identity::{IdentityError, LogIdentity, Mode};
pub use keyring::Keyring;
pub use lane::LaneLimits;
pub use meta::Meta;
pub use read::{ClaimRow, LoadError, ReadError};
pub use recorded::{Position, Recorded};
pub use store::{OpenError, Options, Store};
pub use subjects::{SubjectError, Subjects};
