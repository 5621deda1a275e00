//! Why there is no price.

use thiserror::Error;

use crate::{
    aggregate::Version,
    ids::{PitchId, TariffId},
    interval::Interval,
    refusal::{Refused, Rule},
};

/// Why an interval has no price. Never answered by a guess.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the site does not exist")]
    UnknownSite,
    #[error("the site has no pitch {0}")]
    UnknownPitch(PitchId),
    #[error("the site is not open during the whole time")]
    NotOpen { version: Version },
    #[error("no tariff covers {} to {}", uncovered.from(), uncovered.to())]
    NoTariff { uncovered: Interval, version: Version },
    #[error("this tariff is sold in whole slots of {slot_minutes} minutes, not {minutes}")]
    NotWholeSlots { tariff_id: TariffId, slot_minutes: u32, minutes: i64, version: Version },
    #[error("the price is out of range")]
    OutOfRange { version: Version },
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownSite => "site.unknown",
            Self::UnknownPitch(_) => "site.unknown_pitch",
            Self::NotOpen { .. } => "site.not_open",
            Self::NoTariff { .. } => "quote.no_tariff",
            Self::NotWholeSlots { .. } => "quote.not_whole_slots",
            Self::OutOfRange { .. } => "quote.out_of_range",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match *self {
            Self::UnknownSite | Self::UnknownPitch(_) => None,
            Self::NotOpen { version } => Some(Rule::new("hours", "closed", version)),
            Self::NoTariff { version, .. } => Some(Rule::new("tariffs", "none", version)),
            Self::NotWholeSlots { slot_minutes, version, .. } => {
                Some(Rule::new("tariff_minutes", slot_minutes, version))
            }
            Self::OutOfRange { version } => Some(Rule::new("largest_amount", crate::money::Money::MAX, version)),
        }
    }
}
