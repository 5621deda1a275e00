//! The noun that is loaded: a refund that is declined, of about 450 bytes an event, like Kalel's.

use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What happens to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Declined { refund_id: Uuid, by: By, note: String, at: String },
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct By {
    role: String,
}

const NOTE: &str = "Le match a bien eu lieu : l'éclairage n'a manqué que dix minutes, la partie a été prolongée \
                    d'autant, et l'équipe est repartie contente. Le gardien et la caisse le confirment tous les deux ; \
                    rien n'est donc à rendre, et le responsable du complexe a téléphoné au client pour le lui expliquer.";

impl Event {
    pub fn example() -> Self {
        Self::Declined {
            refund_id: Uuid::now_v7(),
            by: By { role: "system".into() },
            note: NOTE.into(),
            at: "2026-11-27T09:30:00.123456Z".into(),
        }
    }
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        "RefundDeclined".into()
    }

    fn event_version(&self) -> String {
        "1.0".into()
    }
}

pub enum Command {
    DeclineTwice,
}

#[derive(Debug, thiserror::Error)]
#[error("a stream of 20 events has {0}")]
pub struct Unexpected(u64);

pub struct Services;

/// Folded from its events.
#[derive(Default, Serialize, Deserialize)]
pub struct Refund {
    declined: u64,
}

impl Aggregate for Refund {
    const TYPE: &'static str = "refund";
    type Command = Command;
    type Event = Event;
    type Error = Unexpected;
    type Services = Services;

    async fn handle(
        &mut self,
        command: Command,
        _services: &Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Unexpected> {
        match command {
            Command::DeclineTwice if self.declined != 20 => Err(Unexpected(self.declined)),
            Command::DeclineTwice => {
                sink.write(Event::example(), self).await;
                sink.write(Event::example(), self).await;
                Ok(())
            }
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Declined { .. } => self.declined += 1,
        }
    }
}
