//! What a site costs.

use domain::site;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    CONFIGURE, configure,
    ground::{self, TariffInput},
};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{Exemplary, Operation, Shape},
    reply::Reply,
};

pub const SET_TARIFFS: Operation = Operation {
    id: "site.set_tariffs",
    path: "/v1/sites/{id}/tariffs",
    summary: "Replace the price rules",
    about: "A time that no tariff covers cannot be booked. Reservations already made keep their price.",
    body: Some(Shape::of::<SetTariffs>()),
    run: |call| Box::pin(set_tariffs(call)),
    ..CONFIGURE
};

/// The price rules as a whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTariffs {
    tariffs: Vec<TariffInput>,
}

impl Exemplary for SetTariffs {
    fn example() -> Value {
        json!({ "tariffs": [{
            "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60, "formats": ["5x5"],
            "band": { "opens": "18:00", "closes": "01:00" },
        }] })
    }
}

async fn set_tariffs(call: Call) -> Result<Reply, Halt> {
    let body: SetTariffs = call.body()?;
    configure(&call, |site| {
        let tariffs = ground::tariffs(&call, &site.state.pitches, &body.tariffs)?;
        Ok(site::set_tariffs(site, tariffs)?)
    })
    .await
}
