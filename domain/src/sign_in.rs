//! Signing in with a telephone: what may be tried, how often, and what it opens (domain.md, People).
//!
//! Pure rules over what was counted. Codes, hashes and the tables of counters are kept elsewhere; none of them is an event.

mod code;
mod cooling;
mod passphrase;
mod pin;
mod sends;
mod session;
mod spray;
#[cfg(test)]
mod tests_attack;
mod tries;

pub use code::{Challenge, Denied, LIFE, PROVEN, Purpose, TRIES, WRONG_A_DAY, may_answer, proven_for};
pub use cooling::{COOLING, RECOVERY_LASTS, RECYCLED, WAIT, is_recycled};
pub use passphrase::{Passphrase, TooWeak};
pub use pin::{Lock, Pin, TooSimple, after_wrong, may_try};
pub use sends::{Caps, Sent, TooMany, may_send, resend_at};
pub use session::{ABSOLUTE, IDLE, INVITATION, REFRESH, STEP_UP, access_ends, stepped_up};
pub use spray::{Hour, Mood, mood};
pub use tries::{TRUSTED, slowed, sprayed};
