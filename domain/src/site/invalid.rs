//! Why a description of a site cannot stand: what was typed contradicts itself.

use chrono::NaiveDate;
use thiserror::Error;

use crate::{
    ids::{CellId, PitchId, TariffId},
    money::Currency,
    refusal::{Refused, Rule},
};

/// What is wrong with ground, hours, tariffs or a contract.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    #[error("at most {most} {what}")]
    TooMany { what: &'static str, most: usize },
    #[error("the {what} {id} appears twice")]
    Twice { what: &'static str, id: String },
    #[error("the area must be more than nothing")]
    Area,
    #[error("a country is two capital letters (ISO 3166-1)")]
    Country,
    #[error("pitch {0} lies on no cell")]
    PitchWithoutCells(PitchId),
    #[error("the site has no cell {0}")]
    UnknownCell(CellId),
    #[error("a buffer is at most {most_minutes} minutes")]
    Buffer { pitch_id: PitchId, most_minutes: u32 },
    #[error("tariff {tariff_id} is for pitch {pitch_id}, which the site does not have")]
    UnknownPitch { tariff_id: TariffId, pitch_id: PitchId },
    #[error("opening hours are for at least one weekday")]
    NoDays,
    #[error("times are whole minutes")]
    NotWholeMinutes,
    #[error("two opening windows overlap")]
    HoursOverlap,
    #[error("{0} is too far away to be planned")]
    Date(NaiveDate),
    #[error("the last date is before the first")]
    DatesReversed { tariff_id: TariffId },
    #[error("a tariff names at least one format")]
    NoFormats { tariff_id: TariffId },
    #[error("a tariff costs 0 to {most} in {currency}")]
    Price { tariff_id: TariffId, currency: Currency, most: i64 },
    #[error("a tariff is for {least} to {most} minutes")]
    TariffMinutes { tariff_id: TariffId, least: u32, most: u32 },
    #[error("tariffs {first} and {second} apply to the same time with the same rank: which one wins?")]
    Ambiguous { first: TariffId, second: TariffId },
    #[error("a commission is at most {most} basis points")]
    Commission { most: u16 },
    #[error("nothing can be sent to a site by this method")]
    PayoutMethod,
    #[error("what is held is more than nothing, in the currency of the site")]
    PayoutHold,
    #[error("only where the manager collects does money go through an account of theirs")]
    MerchantAccount,
    #[error("a closure needs at least one cell")]
    NoCells,
}

impl Refused for Invalid {
    fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "site.too_many",
            Self::Twice { .. } => "site.twice",
            Self::Area => "site.area",
            Self::Country => "site.country",
            Self::PitchWithoutCells(_) => "site.pitch_without_cells",
            Self::UnknownCell(_) => "site.unknown_cell",
            Self::Buffer { .. } => "site.buffer",
            Self::UnknownPitch { .. } => "site.tariff_unknown_pitch",
            Self::NoDays => "site.no_days",
            Self::NotWholeMinutes => "site.not_whole_minutes",
            Self::HoursOverlap => "site.hours_overlap",
            Self::Date(_) => "site.date",
            Self::DatesReversed { .. } => "site.dates_reversed",
            Self::NoFormats { .. } => "site.no_formats",
            Self::Price { .. } => "site.tariff_price",
            Self::TariffMinutes { .. } => "site.tariff_minutes",
            Self::Ambiguous { .. } => "site.ambiguous_tariffs",
            Self::Commission { .. } => "site.commission",
            Self::PayoutMethod => "site.payout_method",
            Self::PayoutHold => "site.payout_hold",
            Self::MerchantAccount => "site.merchant_account",
            Self::NoCells => "site.no_cells",
        }
    }

    fn rule(&self) -> Option<Rule> {
        match self {
            Self::TooMany { what, most } => Some(Rule::new(what, most, 0)),
            Self::Buffer { most_minutes, .. } => Some(Rule::new("longest_buffer_minutes", most_minutes, 0)),
            Self::Price { most, .. } => Some(Rule::new("largest_tariff", most, 0)),
            Self::Commission { most } => Some(Rule::new("largest_commission", most, 0)),
            Self::TariffMinutes { least, most, .. } => Some(Rule::new("tariff_minutes", format!("{least}..{most}"), 0)),
            _ => None,
        }
    }
}

/// Refuses more than `most` of something.
pub(super) const fn at_most(what: &'static str, count: usize, most: usize) -> Result<(), Invalid> {
    if count > most { Err(Invalid::TooMany { what, most }) } else { Ok(()) }
}

/// Refuses the second appearance of anything.
pub(super) fn distinct<T: Ord + ToString>(
    what: &'static str,
    items: impl IntoIterator<Item = T>,
) -> Result<(), Invalid> {
    let mut seen = std::collections::BTreeSet::new();
    for item in items {
        if seen.contains(&item) {
            return Err(Invalid::Twice { what, id: item.to_string() });
        }
        seen.insert(item);
    }
    Ok(())
}
