//! Text messages: one recipient, one text, one call. No gateway has a key against sending twice, so an unknown outcome
//! is not tried again by itself (providers.md §4).

mod africas_talking;
mod gsm;

use domain::phone::Phone;

pub use self::{
    africas_talking::{AfricasTalking, Config, Delivery, NotAReport, Report},
    gsm::{Encoding, Size, size, transliterate},
};
use crate::call::Outcome;

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub to: Phone,
    /// Sent after [`transliterate`], so that it stays in the cheap alphabet.
    pub text: String,
}

/// A message that the gateway took; whether it arrives is told by a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The gateway's id, to match reports with; some answers have none.
    pub message_id: Option<String>,
    /// As the gateway writes it: `XOF 20.0000`.
    pub cost: Option<String>,
}

/// An SMS gateway.
#[derive(Clone, Debug)]
pub enum Gateway {
    AfricasTalking(AfricasTalking),
}

impl Gateway {
    /// Sends once.
    pub async fn send(&self, message: &Message) -> Outcome<Accepted> {
        match self {
            Self::AfricasTalking(gateway) => gateway.send(message).await,
        }
    }
}
