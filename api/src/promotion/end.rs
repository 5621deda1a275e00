//! End a code.

use axum::http::StatusCode;
use domain::{promotion, text::Note};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{PromotionBody, WRITES, show};
use crate::http::{
    call::Call,
    command::{Tries, after},
    halt::Halt,
    operation::{Exemplary, Operation, Shape, Success},
    reply::Reply,
};

pub const END: Operation = Operation {
    id: "promotion.end",
    path: "/v1/promotions/{id}/end",
    summary: "End a promo code",
    about: "It counts no longer; what was booked with it keeps its price. Quotes that name it are refused when they are \
            used. The word may be used for another promotion.",
    authz: WRITES,
    body: Some(Shape::of::<EndPromotion>()),
    success: Success { shape: Some(Shape::of::<PromotionBody>()), about: "The promotion.", ..Operation::READ.success },
    refusals: &["object.not_found", "promotion.role_not_allowed"],
    run: |call| Box::pin(end(call)),
    ..Operation::WRITE
};

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndPromotion {
    #[schema(value_type = Option<String>, max_length = 500)]
    reason: Option<Note>,
}

impl Exemplary for EndPromotion {
    fn example() -> Value {
        json!({ "reason": "La fête est passée" })
    }
}

async fn end(call: Call) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let promotion = call.own_promotion().await?;
        if let Some(record) = &call.resumed {
            let promotion = call.load_at(promotion.id, record.last).await?;
            return Ok(show(&call, &promotion, StatusCode::OK, Some(record.last))?);
        }
        call.precondition.check(promotion.version)?;
        let body: EndPromotion = call.body()?;
        let decision = promotion::end(&promotion, body.reason, call.actor(), call.now())?;
        if decision.is_nothing() {
            return Ok(show(&call, &promotion, StatusCode::OK, None)?);
        }
        let site_id = promotion.state.site_id;
        if let Some(written) = call.write(decision.clone(), site_id).await? {
            return Ok(show(&call, &after(promotion, &decision), StatusCode::OK, Some(written.position))?);
        }
        tries.again()?;
    }
}
