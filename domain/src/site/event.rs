//! What can happen to a site.

use chrono::{NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    contract::{Contract, of_the_platform},
    event::{events, one_more_choice},
    ids::{CellId, ClosureId, PitchId, PrincipalId, ReservationId, SiteId, TariffId},
    interval::Interval,
    money::{Currency, Money},
    place::{Outline, Point},
    policy::Policy,
    sealed::Sealed,
    text::{Name, Note, Slug, Text},
};

events! { "site" {
    Registered = "site.registered" v 3 from [1 => one_more_choice, 2 => one_more_choice],
    Described = "site.described" v 3 from [1 => one_more_choice, 2 => one_more_choice],
    GroundSet = "site.ground_set" v 1,
    HoursSet = "site.hours_set" v 1,
    DaySet = "site.day_set" v 1,
    TariffsSet = "site.tariffs_set" v 1,
    PolicySet = "site.policy_set" v 1,
    ContactSet = "site.contact_set" v 1,
    ContractSet = "site.contract_set" v 2 from [1 => of_the_platform],
    PayoutAccountSet = "site.payout_account_set" v 1,
    PayoutsHeld = "site.payouts_held" v 1,
    PayoutsReleased = "site.payouts_released" v 1,
    ClosureScheduled = "site.closure_scheduled" v 1,
    ClosureLifted = "site.closure_lifted" v 1,
    Suspended = "site.suspended" v 1,
    Resumed = "site.resumed" v 1,
} }

/// A site entered the catalogue. Ground, hours, tariffs and policy follow as events of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Registered {
    pub site_id: SiteId,
    pub slug: Slug,
    /// Whose site it is.
    pub manager_id: PrincipalId,
    #[cfg_attr(test, schemars(with = "String"))]
    pub time_zone: Tz,
    pub currency: Currency,
    pub profile: Profile,
}

/// The public profile changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Described {
    pub site_id: SiteId,
    pub profile: Profile,
}

/// What anybody may see of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: Name,
    pub address: Option<Note>,
    pub city: Option<Name>,
    /// ISO 3166-1 alpha-2.
    pub country: Text<2>,
    /// Unknown stays unknown: an import never invents coordinates.
    pub location: Option<Point>,
    pub footprint: Option<Outline>,
    /// Such as `artificial_turf`, in the words of whoever described it.
    pub surface: Option<Text<60>>,
    /// Square metres.
    pub area_m2: Option<f64>,
    pub capacity_players: Option<u32>,
    #[serde(default)]
    pub house_rules: Vec<Note>,
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Empty means the platform's default methods (decisions.md).
    #[serde(default)]
    pub payment_methods: Vec<crate::payment::Method>,
}

/// The ground and what is sold on it, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GroundSet {
    pub site_id: SiteId,
    pub cells: Vec<Cell>,
    pub pitches: Vec<Pitch>,
    /// True when the cells are our reading of the formats sold (nobody told us).
    pub modelled: bool,
}

/// The smallest piece of ground that can be sold apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cell {
    pub id: CellId,
    pub slug: Slug,
}

/// A bookable unit over a set of cells. Two pitches that share a cell conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pitch {
    pub id: PitchId,
    pub slug: Slug,
    pub name: Name,
    pub format: Format,
    pub cells: Vec<CellId>,
    /// Minutes after a reservation in which the cells stay claimed.
    pub buffer_minutes: u32,
}

/// Players a side, such as `5x5`.
pub type Format = Text<12>;

/// The weekly opening windows, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HoursSet {
    pub site_id: SiteId,
    pub weekly: Vec<OpeningRule>,
    /// False when we assumed them (nobody told us).
    pub declared: bool,
}

/// On these weekdays open from `opens` to `closes`, local time. `closes` at or before `opens` is on the next day, so
/// equal times mean 24 hours; a day open around the clock is `00:00`–`00:00`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OpeningRule {
    pub days: Vec<Weekday>,
    pub opens: NaiveTime,
    pub closes: NaiveTime,
}

/// A window without its weekdays, for one date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub opens: NaiveTime,
    pub closes: NaiveTime,
}

/// The windows of one date replace the weekly ones; none means closed (Tabaski, a tournament).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DaySet {
    pub site_id: SiteId,
    pub date: NaiveDate,
    /// `None` goes back to the weekly hours.
    pub windows: Option<Vec<Window>>,
    pub label: Option<Name>,
}

/// The price rules, as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TariffsSet {
    pub site_id: SiteId,
    pub tariffs: Vec<Tariff>,
}

/// A price for a pitch or format, on weekdays or dates, in a band of local time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    pub id: TariffId,
    pub applies_to: AppliesTo,
    /// Weekdays of the opening window; empty means every day.
    pub days: Vec<Weekday>,
    /// First and last date it applies on, both included: dated exceptions win over weekly tariffs.
    pub dates: Option<DateRange>,
    /// The band of local time, which may cross midnight; `None` means the whole window.
    pub band: Option<Window>,
    /// For `minutes`, in the currency of the site.
    pub price: Money,
    /// What `price` buys. 60 is proportional per minute; any other length is sold whole (decisions.md).
    pub minutes: u32,
}

/// What a tariff prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AppliesTo {
    Site,
    Formats(Vec<Format>),
    Pitch(PitchId),
}

/// Dates, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DateRange {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// The terms for reservations made from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PolicySet {
    pub site_id: SiteId,
    pub policy: Policy,
}

/// Where the manager hears of bookings. Sealed under the manager's own key; never public.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContactSet {
    pub site_id: SiteId,
    /// Whose key seals them: the manager.
    pub subject: PrincipalId,
    pub phone: Option<Sealed>,
    pub email: Option<Sealed>,
}

/// Who collects, and what the platform takes of it, for reservations made from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ContractSet {
    pub site_id: SiteId,
    pub contract: Contract,
    pub by: Actor,
    pub at: Timestamp,
}

/// Where the platform pays the site. Agreed with an admin, never typed by whoever pays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PayoutAccountSet {
    pub site_id: SiteId,
    /// A method with a provider that sends; or `transfer`, which a person makes at the bank.
    pub method: crate::payment::Method,
    /// Whose key seals the account: the manager.
    pub subject: PrincipalId,
    /// A number in E.164, or the account at the bank.
    pub account: Sealed,
    pub by: Actor,
    pub at: Timestamp,
}

/// A wallet, or an account at a bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// A method with a provider that sends; or `transfer`, which a person makes at the bank.
    pub method: crate::payment::Method,
    /// Whose key seals the account: the manager.
    pub subject: PrincipalId,
    /// A number in E.164, or the account at the bank.
    pub account: Sealed,
}

/// Money of the site stays with the platform, while a dispute is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PayoutsHeld {
    pub site_id: SiteId,
    /// So much of it; all of it when there is none.
    pub amount: Option<Money>,
    pub reason: Note,
    pub by: Actor,
    pub at: Timestamp,
}

/// It is the site's again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PayoutsReleased {
    pub site_id: SiteId,
    pub reason: Note,
    pub by: Actor,
    pub at: Timestamp,
}

/// Why a site cannot be played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClosureReason {
    Maintenance,
    Weather,
    PowerCut,
    Tournament,
    Other,
}

/// Cells are closed for a time; the reservations it hits were cancelled in the same decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClosureScheduled {
    pub site_id: SiteId,
    pub closure_id: ClosureId,
    pub cells: Vec<CellId>,
    pub during: Interval,
    pub reason: ClosureReason,
    pub note: Option<Note>,
    /// Reservations that it cancelled.
    pub hits: Vec<ReservationId>,
}

/// The cells can be sold again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClosureLifted {
    pub site_id: SiteId,
    pub closure_id: ClosureId,
}

/// Listed, but nothing can be booked until [`Resumed`]: its data are in doubt, or an admin says so. What is booked stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Suspended {
    pub site_id: SiteId,
    pub reason: Note,
}

/// Can be booked again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resumed {
    pub site_id: SiteId,
}
