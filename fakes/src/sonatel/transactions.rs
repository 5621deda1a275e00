//! Transactions: the list, with the bug of its `type` filter, and the status of one.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    App,
    auth::{May, PAYMENT},
    error::{Answer, Problem},
    state::{Kind, Row, Status},
    validate::bad,
};
use crate::server::lock;

const PAGE: usize = 20;
const LONGEST_PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    reference: Option<String>,
    status: Option<Status>,
    r#type: Option<Kind>,
    from_date_time: Option<String>,
    page: Option<usize>,
    size: Option<usize>,
}

pub(crate) async fn list(
    _: May<PAYMENT>,
    State(sonatel): App,
    filter: Result<Query<Filter>, axum::extract::rejection::QueryRejection>,
) -> Answer<Json<Value>> {
    let Query(filter) = filter.map_err(|error| bad(error.to_string()))?;
    let from = filter.from_date_time.as_deref().map(str::parse::<DateTime<Utc>>).transpose();
    let from = from.map_err(|_| bad("fromDateTime must be an instant"))?;
    let size = filter.size.unwrap_or(PAGE).min(LONGEST_PAGE);
    let listed_before = sonatel.clock.now() - TimeDelta::seconds(sonatel.config.listing_lag_seconds);
    let books = lock(&sonatel.books);
    let wanted = |row: &&Row| {
        row.created <= listed_before
            && filter.reference.as_ref().is_none_or(|reference| *reference == row.reference)
            && filter.status.is_none_or(|status| status == row.status)
            && filter.r#type.is_none_or(|kind| !sonatel.config.type_filter_bug && kind == row.kind)
            // A strict bound: what happened in that very instant is left out.
            && from.is_none_or(|from| row.created > from)
    };
    let found = books.rows.iter().rev().filter(wanted);
    let page = found.skip(filter.page.unwrap_or(0).saturating_mul(size)).take(size);
    let rows: Vec<_> = page.map(|row| row.json(sonatel.config.amounts)).collect();
    Ok(Json(if sonatel.config.wrapped_list { json!({ "transactions": rows }) } else { json!(rows) }))
}

pub(crate) async fn status(_: May<PAYMENT>, State(sonatel): App, Path(id): Path<String>) -> Answer<Json<Value>> {
    let books = lock(&sonatel.books);
    let row = books.rows.iter().find(|row| row.transaction_id == id);
    row.map(|row| Json(json!({ "status": row.status }))).ok_or_else(|| Problem::unknown("No such transaction"))
}
