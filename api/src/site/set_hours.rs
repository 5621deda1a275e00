//! When a site is open: every week, and on single dates.

use chrono::NaiveDate;
use domain::{
    site::{self, Window},
    text::Name,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    CONFIGURE, configure,
    ground::{self, HoursInput, WindowInput},
};
use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Exemplary, Operation, Shape},
        reply::Reply,
    },
    problem::Problem,
};

pub const SET_HOURS: Operation = Operation {
    id: "site.set_hours",
    path: "/v1/sites/{id}/hours",
    summary: "Replace the weekly opening hours",
    about: "No rule at all means closed. Dated exceptions stay.",
    body: Some(Shape::of::<SetHours>()),
    run: |call| Box::pin(set_hours(call)),
    ..CONFIGURE
};

pub const SET_DAY: Operation = Operation {
    id: "site.set_day",
    path: "/v1/sites/{id}/hours/{date}",
    summary: "Make one date different",
    about: "Ramadan, Tabaski, a tournament: the windows of this date replace the weekly ones; none means closed, null \
            goes back to the weekly hours.",
    body: Some(Shape::of::<SetDay>()),
    run: |call| Box::pin(set_day(call)),
    ..CONFIGURE
};

/// The weekly hours as a whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetHours {
    hours: Vec<HoursInput>,
    /// False when these hours are assumed.
    #[serde(default = "yes")]
    declared: bool,
}

const fn yes() -> bool {
    true
}

impl Exemplary for SetHours {
    fn example() -> Value {
        json!({ "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri"], "opens": "16:00", "closes": "01:00" }] })
    }
}

/// The windows of one date.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDay {
    windows: Option<Vec<WindowInput>>,
    #[schema(value_type = Option<String>, max_length = 120)]
    label: Option<Name>,
}

impl Exemplary for SetDay {
    fn example() -> Value {
        json!({ "windows": [], "label": "Tabaski" })
    }
}

async fn set_hours(call: Call) -> Result<Reply, Halt> {
    let body: SetHours = call.body()?;
    let weekly = ground::hours(&body.hours);
    configure(&call, |site| Ok(site::set_hours(site, weekly.clone(), body.declared)?)).await
}

async fn set_day(call: Call) -> Result<Reply, Halt> {
    let body: SetDay = call.body()?;
    let date: NaiveDate = call.segment("date").parse().map_err(|_| Problem::new("object.not_found"))?;
    let windows = body.windows.map(|windows| windows.into_iter().map(Window::from).collect::<Vec<_>>());
    configure(&call, |site| Ok(site::set_day(site, date, windows.clone(), body.label.clone())?)).await
}
