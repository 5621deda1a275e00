//! The ground of a site and what is sold on it.

use domain::{site, text::Slug};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    CONFIGURE, configure,
    ground::{self, PitchInput},
};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{Exemplary, Operation, Shape},
    reply::Reply,
};

pub const SET_GROUND: Operation = Operation {
    id: "site.set_ground",
    path: "/v1/sites/{id}/pitches",
    summary: "Replace cells and pitches",
    about: "A cell or pitch whose slug stays keeps its id. Two pitches that share a cell cannot be played at once.",
    body: Some(Shape::of::<SetGround>()),
    run: |call| Box::pin(set_ground(call)),
    ..CONFIGURE
};

/// The ground as a whole: what is not in it is gone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetGround {
    /// Slugs of the smallest pieces that can be sold apart.
    #[schema(value_type = Vec<String>)]
    cells: Vec<Slug>,
    pitches: Vec<PitchInput>,
}

impl Exemplary for SetGround {
    fn example() -> Value {
        json!({
            "cells": ["a", "b"],
            "pitches": [
                { "slug": "grand", "name": "Grand terrain", "format": "8x8", "cells": ["a", "b"] },
                { "slug": "nord", "name": "Moitié nord", "format": "5x5", "cells": ["a"] },
            ],
        })
    }
}

async fn set_ground(call: Call) -> Result<Reply, Halt> {
    let body: SetGround = call.body()?;
    configure(&call, |site| {
        let (cells, pitches) = ground::ground(&call, &site.state, &body.cells, &body.pitches)?;
        Ok(site::set_ground(site, cells, pitches, false)?)
    })
    .await
}
