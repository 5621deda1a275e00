//! The site of one run of the tour: open around the clock, nothing asked in advance, holds of seconds.

use chrono::{DateTime, Duration, DurationRound, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::guide::{Guide, Off, wrong};

/// Seconds that an unpaid hold of the tour lives.
pub(super) const HOLD_SECONDS: i64 = 90;
/// The deposit of the tour's site, in francs.
pub(super) const DEPOSIT: i64 = 10_000;

/// Where the tour plays.
pub(super) struct Stage {
    pub id: String,
    pub slug: String,
    /// The first whole hour that is more than a day away.
    pub first_start: DateTime<Utc>,
}

impl Stage {
    /// Registers the site.
    pub async fn build(guide: &mut Guide) -> Result<Self, Off> {
        let slug = format!("tour-{}", guide.run);
        let francs = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        let answer =
            guide.call("manager", Method::POST, "/v1/sites", Some(site(&slug, &francs)), StatusCode::CREATED).await?;
        guide.show("site", &slug);
        guide.show("open", "around the clock");
        guide.show("deposit", &format!("{DEPOSIT} XOF"));
        let now = guide.now().await?;
        let hour = now.duration_trunc(Duration::hours(1)).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { id: answer.text("/id")?, slug, first_start: hour + Duration::hours(26) })
    }

    /// The n-th hour of the tour.
    pub fn hour(&self, n: i64) -> DateTime<Utc> {
        self.first_start + Duration::hours(n)
    }

    /// A mobile number nobody else uses: of this run, the n-th.
    pub fn phone(guide: &Guide, n: u32) -> Result<String, Off> {
        let run = u32::from_str_radix(&guide.run, 16).map_err(|error| wrong(error.to_string()))?;
        Ok(format!("+22177{:06}{}", run % 1_000_000, n % 10))
    }
}

fn site(slug: &str, francs: &impl Fn(i64) -> Value) -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    json!({
        "slug": slug, "time_zone": "Africa/Dakar", "currency": "XOF",
        "profile": { "name": format!("Terrain de la visite {slug}"), "city": "Dakar", "country": "SN",
                     "location": { "lat": 14.6931, "lon": -17.4472 } },
        "cells": ["nord", "sud"],
        "pitches": [
            { "slug": "grand", "name": "Grand terrain", "format": "8x8", "cells": ["nord", "sud"] },
            { "slug": "moitie-nord", "name": "Moitié nord", "format": "5x5", "cells": ["nord"] },
            { "slug": "moitie-sud", "name": "Moitié sud", "format": "5x5", "cells": ["sud"] },
        ],
        "hours": [{ "days": days, "opens": "00:00", "closes": "00:00" }],
        "tariffs": [{ "price": francs(30_000), "minutes": 60 }],
        "policy": {
            "start_every_minutes": 30, "shortest_minutes": 60, "longest_minutes": 480, "lead_minutes": 0,
            "horizon_days": 90, "hold_seconds": HOLD_SECONDS, "checkout_grace_seconds": 120,
            "unpaid_holds_at_once": 3, "unpaid_holds_per_day": 3,
            "deposit": { "kind": "fixed", "amount": francs(DEPOSIT) },
            "free_cancellation_minutes": 720, "reschedule_minutes": 360, "free_reschedules": 1,
            "check_in_opens_minutes": 30, "completion_grace_minutes": 15, "reminder_minutes": 120,
            "no_show_fine": null, "four_eyes_above": francs(50_000),
        },
        "contact": { "phone": "77 000 00 01", "email": null },
    })
}
