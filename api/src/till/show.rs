//! The drawer as it is, and as it was each time it was open.

use axum::http::StatusCode;
use domain::{aggregate::Loaded, site::Site, till::Till};
use projections::till::{self, Session};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::READS;
use crate::{
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        list::List,
        operation::{Exemplary, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, SignedMoney, local_text},
};

pub const SHOW: Operation = Operation {
    id: "till.show",
    path: "/v1/sites/{id}/till",
    class: Class::CheckIn,
    summary: "The till",
    about: "Whether it is open, and what should be in it by the cash that moved at the site since.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<TillBody>()), about: "The till.", ..Operation::READ.success },
    refusals: &["projection_behind"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

pub const HISTORY: Operation = Operation {
    id: "till.history",
    path: "/v1/sites/{id}/till/sessions",
    class: Class::Analytics,
    summary: "Each time the till was open",
    about: "The newest first: float, counts, what was taken out, and how it was closed.",
    authz: READS,
    query: &[Param::limit("Sessions on a page; 20 when left out."), Param::CURSOR],
    success: Success {
        shape: Some(Shape::of::<List<SessionBody>>()),
        about: "A page of sessions.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(history(call)),
    ..Operation::READ
};

/// The cash drawer of a site.
#[derive(Serialize, ToSchema)]
#[schema(as = Till)]
pub struct TillBody {
    object: &'static str,
    id: Uuid,
    site_id: Uuid,
    /// `open` or `closed`.
    status: &'static str,
    /// How often it was opened.
    session: u32,
    float: Option<Money>,
    opened_at: Option<String>,
    /// Taken to the bank since.
    moved: Option<Money>,
    /// By cash payments since it was opened. Only when it is read.
    received: Option<Money>,
    /// By cash refunds since.
    handed_out: Option<Money>,
    /// What should be in it now.
    expected: Option<SignedMoney>,
    /// What was counted when it was closed the last time.
    last_counted: Option<Money>,
    last_closed_at: Option<String>,
    /// Up to where movements were counted.
    as_of_position: Option<i64>,
    version: i32,
}

impl Exemplary for TillBody {
    fn example() -> Value {
        json!({
            "object": "till", "id": "019ab2c4-5f00-7000-8000-0000000000e1",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "status": "open", "session": 12,
            "float": { "amount": 20000, "currency": "XOF" }, "received": { "amount": 45000, "currency": "XOF" },
            "handed_out": { "amount": 0, "currency": "XOF" }, "moved": { "amount": 0, "currency": "XOF" },
            "expected": { "amount": 65000, "currency": "XOF" }, "as_of_position": 42, "version": 23,
        })
    }
}

impl TillBody {
    /// From its stream, without what moved since.
    pub fn folded(site: &Loaded<Site>, till: &Loaded<Till>) -> Self {
        let zone = site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
        let (open, last) = (till.state.open, till.state.last_close);
        Self {
            object: "till",
            id: till.id.uuid(),
            site_id: site.id.uuid(),
            status: if open.is_some() { "open" } else { "closed" },
            session: till.state.sessions,
            float: open.map(|session| session.float.into()),
            opened_at: open.map(|session| local_text(session.opened_at, zone)),
            moved: open.map(|session| session.moved.into()),
            received: None,
            handed_out: None,
            expected: None,
            last_counted: last.map(|last| last.counted.into()),
            last_closed_at: last.map(|last| local_text(last.at, zone)),
            as_of_position: None,
            version: till.version,
        }
    }
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let (site, till) = call.own_till().await?;
    if till.version == 0 {
        return Err(Problem::new("object.not_found").into());
    }
    let mut body = TillBody::folded(&site, &till);
    if let Some(session) = till.state.open {
        let takings = call.takings(&site, session.from_position).await?;
        body.received = Some(takings.received.into());
        body.handed_out = Some(takings.handed_out.into());
        body.expected = Some(session.expected(&takings).map_err(domain::till::Refusal::from)?.into());
        body.as_of_position = Some(takings.as_of_position);
    }
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(till.version, &[&reply.body]);
    Ok(reply.etag(tag))
}

/// From an opening to a closing.
#[derive(Serialize, ToSchema)]
#[schema(as = TillSession)]
pub struct SessionBody {
    object: &'static str,
    till_id: Uuid,
    site_id: Uuid,
    session: u32,
    /// `open` or `closed`.
    status: &'static str,
    float: Money,
    /// The site's own day on which it was opened.
    day: String,
    opened_at: String,
    #[schema(value_type = Object)]
    opened_by: domain::actor::Actor,
    counts: Vec<CountBody>,
    moves: Vec<MoveBody>,
    /// The rest only once it is closed.
    closed_at: Option<String>,
    #[schema(value_type = Option<Object>)]
    closed_by: Option<domain::actor::Actor>,
    received: Option<Money>,
    handed_out: Option<Money>,
    moved: Option<Money>,
    expected: Option<SignedMoney>,
    counted: Option<Money>,
    /// Why it differs.
    reason: Option<String>,
    /// Negative when something was missing.
    variance: Option<SignedMoney>,
    /// Movements after this position …
    from_position: i64,
    /// … up to and with this one are in it.
    as_of_position: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TillCount)]
struct CountBody {
    counted: Money,
    expected: SignedMoney,
    variance: SignedMoney,
    as_of_position: i64,
    #[schema(value_type = Object)]
    by: domain::actor::Actor,
    at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TillMove)]
struct MoveBody {
    amount: Money,
    reason: String,
    reference: Option<String>,
    #[schema(value_type = Object)]
    by: domain::actor::Actor,
    at: String,
}

impl Exemplary for SessionBody {
    fn example() -> Value {
        json!({
            "object": "till_session", "session": 12, "status": "closed",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "float": { "amount": 20000, "currency": "XOF" },
            "expected": { "amount": 65000, "currency": "XOF" }, "counted": { "amount": 64000, "currency": "XOF" },
            "variance": { "amount": -1000, "currency": "XOF" }, "reason": "Rendu 1 000 de trop", "from_position": 7,
            "as_of_position": 41,
        })
    }
}

impl SessionBody {
    fn of(row: &Session, zone: chrono_tz::Tz) -> Self {
        let closed = row.closed.as_ref();
        Self {
            object: "till_session",
            till_id: row.till_id.uuid(),
            site_id: row.site_id.uuid(),
            session: row.session,
            status: if closed.is_some() { "closed" } else { "open" },
            float: row.float.into(),
            day: row.opened_at.with_timezone(&zone).date_naive().to_string(),
            opened_at: local_text(row.opened_at, zone),
            opened_by: row.opened_by,
            counts: row
                .counts
                .iter()
                .map(|count| CountBody {
                    counted: count.counted.into(),
                    expected: count.expected.into(),
                    variance: count.variance.into(),
                    as_of_position: count.as_of_position,
                    by: count.by,
                    at: local_text(count.at, zone),
                })
                .collect(),
            moves: row
                .moves
                .iter()
                .map(|moved| MoveBody {
                    amount: moved.amount.into(),
                    reason: moved.reason.to_string(),
                    reference: moved.reference.as_ref().map(ToString::to_string),
                    by: moved.by,
                    at: local_text(moved.at, zone),
                })
                .collect(),
            closed_at: closed.map(|closed| local_text(closed.at, zone)),
            closed_by: closed.map(|closed| closed.by),
            received: closed.map(|closed| closed.received.into()),
            handed_out: closed.map(|closed| closed.handed_out.into()),
            moved: closed.map(|closed| closed.moved.into()),
            expected: closed.map(|closed| closed.expected.into()),
            counted: closed.map(|closed| closed.counted.into()),
            reason: closed.and_then(|closed| closed.reason.as_ref()).map(ToString::to_string),
            variance: closed.map(|closed| closed.variance.into()),
            from_position: row.from_position,
            as_of_position: closed.map(|closed| closed.as_of_position),
        }
    }
}

async fn history(call: Call) -> Result<Reply, Halt> {
    let site = call.own_site().await?;
    if !site.state.is_registered() {
        return Err(Problem::new("object.not_found").into());
    }
    let zone = site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
    let page = till::list(call.app.store.pool(), site.id, call.cursor(), call.limit()).await?;
    Reply::list(&call, &page, page.items.iter().map(|row| SessionBody::of(row, zone)))
}
