//! Why a site says no.

use thiserror::Error;

use crate::{
    Timestamp,
    actor::Role,
    aggregate::Version,
    ids::{ClosureId, PitchId},
    policy, quote,
    refusal::{Refused, Rule},
};

use super::Invalid;

/// Why a slot cannot be booked, or a change of a site was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("the site does not exist")]
    Unknown,
    #[error("the site has no pitch {0}")]
    UnknownPitch(PitchId),
    #[error("the site cannot be booked at the moment: {reason}")]
    Suspended { reason: String, version: Version },
    #[error("reservations start every {every_minutes} minutes")]
    OffGrid { every_minutes: u32, version: Version },
    #[error("a reservation lasts a multiple of {every_minutes} minutes")]
    LengthOffGrid { minutes: i64, every_minutes: u32, version: Version },
    #[error("{minutes} minutes are less than the shortest reservation, {shortest_minutes}")]
    TooShort { minutes: i64, shortest_minutes: u32, version: Version },
    #[error("{minutes} minutes are more than the longest reservation, {longest_minutes}")]
    TooLong { minutes: i64, longest_minutes: u32, version: Version },
    #[error("the start is in the past")]
    InThePast { earliest: Timestamp, version: Version },
    #[error("the start is less than {lead_minutes} minutes away")]
    TooSoon { lead_minutes: u32, earliest: Timestamp, version: Version },
    #[error("the start is more than {horizon_days} days away")]
    TooFar { horizon_days: u32, version: Version },
    #[error("the site is not open during the whole time")]
    NotOpen { version: Version },
    #[error("closed for the time asked")]
    Closed { closure_id: ClosureId, version: Version },
    #[error(transparent)]
    NoPrice(#[from] quote::Refusal),
    #[error("the site exists already")]
    AlreadyRegistered,
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Policy(#[from] policy::Refusal),
    #[error("a {} may not do this", role.as_str())]
    RoleNotAllowed { role: Role },
    #[error("whoever sets a contract does so under their name")]
    NameRequired,
    #[error("the site has no closure {0}")]
    UnknownClosure(ClosureId),
    #[error("the closure has ended")]
    ClosureEnded { closure_id: ClosureId },
    #[error("a closure may cancel at most {most} reservations, not {hits}")]
    TooManyHits { hits: usize, most: usize },
}

impl Refused for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "site.unknown",
            Self::UnknownPitch(_) => "site.unknown_pitch",
            Self::Suspended { .. } => "site.suspended",
            Self::OffGrid { .. } => "site.off_grid",
            Self::LengthOffGrid { .. } => "site.length_off_grid",
            Self::TooShort { .. } => "site.too_short",
            Self::TooLong { .. } => "site.too_long",
            Self::InThePast { .. } => "site.in_the_past",
            Self::TooSoon { .. } => "site.too_soon",
            Self::TooFar { .. } => "site.too_far",
            Self::NotOpen { .. } => "site.not_open",
            Self::Closed { .. } => "site.closed",
            Self::NoPrice(refusal) => refusal.code(),
            Self::AlreadyRegistered => "site.already_registered",
            Self::Invalid(invalid) => invalid.code(),
            Self::Policy(refusal) => refusal.code(),
            Self::RoleNotAllowed { .. } => "site.role_not_allowed",
            Self::NameRequired => "site.name_required",
            Self::UnknownClosure(_) => "site.unknown_closure",
            Self::ClosureEnded { .. } => "site.closure_ended",
            Self::TooManyHits { .. } => "site.too_many_hits",
        }
    }

    fn rule(&self) -> Option<Rule> {
        Some(match self {
            Self::Unknown
            | Self::UnknownPitch(_)
            | Self::AlreadyRegistered
            | Self::RoleNotAllowed { .. }
            | Self::NameRequired
            | Self::UnknownClosure(_)
            | Self::ClosureEnded { .. } => return None,
            Self::TooManyHits { most, .. } => Rule::new("most_hits", most, 0),
            Self::Invalid(invalid) => return invalid.rule(),
            Self::Policy(refusal) => return refusal.rule(),
            Self::Suspended { reason, version } => Rule::new("suspended", reason, *version),
            Self::OffGrid { every_minutes, version } | Self::LengthOffGrid { every_minutes, version, .. } => {
                Rule::new("start_every_minutes", every_minutes, *version)
            }
            Self::TooShort { shortest_minutes, version, .. } => {
                Rule::new("shortest_minutes", shortest_minutes, *version)
            }
            Self::TooLong { longest_minutes, version, .. } => Rule::new("longest_minutes", longest_minutes, *version),
            Self::InThePast { earliest, version } => Rule::new("earliest_start", earliest.to_rfc3339(), *version),
            Self::TooSoon { lead_minutes, version, .. } => Rule::new("lead_minutes", lead_minutes, *version),
            Self::TooFar { horizon_days, version } => Rule::new("horizon_days", horizon_days, *version),
            Self::NotOpen { version } => Rule::new("hours", "closed", *version),
            Self::Closed { closure_id, version } => Rule::new("closure", closure_id, *version),
            Self::NoPrice(refusal) => return refusal.rule(),
        })
    }
}
