//! Reservations, by client, site, day and status: only those the caller may see.

use chrono::TimeDelta;
use domain::{
    actor::Role,
    ids::{ClientId, PitchId, PrincipalId, SiteId},
};
use projections::reservation::{self, Filter, Sort, Status, Whose};
use uuid::Uuid;

use super::{READS, ReservationBody, show};
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        list::List,
        operation::{Kind, Operation, Over, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const LIST: Operation = Operation {
    id: "reservation.list",
    path: "/v1/reservations",
    summary: "Reservations",
    about: "Newest first unless `sort` says otherwise. A client sees their own, a manager those of their sites, a service \
            what it made and what is at its sites, a gatekeeper today's at theirs (a page may hold fewer than `limit`).",
    authz: READS,
    query: &[
        Param::new("site_id", Kind::Name, "Id or slug.", "fara-foot").checked("the sites there are"),
        Param::new("pitch_id", Kind::Id, "Id.", ""),
        Param::new("client_id", Kind::Id, "Id.", ""),
        Param::new(
            "status[in]",
            Kind::Some(&["held", "confirmed", "checked_in", "completed", "no_show", "expired", "cancelled"]),
            "Statuses, separated by commas.",
            "held,confirmed",
        ),
        Param::new("starts_at[gte]", Kind::Time, "Starts at this time or later.", "2026-11-28T00:00:00Z"),
        Param::new("starts_at[lt]", Kind::Time, "Starts before this time.", "2026-11-29T00:00:00Z"),
        Param::new(
            "sort",
            Kind::OneOf(&["-created_at", "created_at", "starts_at", "-starts_at"]),
            "Order; a minus turns it around.",
            "starts_at",
        ),
        Param::limit("Reservations on a page; 20 when left out."),
        Param::CURSOR,
        show::EXPAND,
    ],
    success: Success {
        shape: Some(Shape::of::<List<ReservationBody>>()),
        about: "A page of reservations.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

/// No game of today, anywhere, starts further away.
const AROUND: TimeDelta = TimeDelta::hours(48);

async fn list(call: Call) -> Result<Reply, Halt> {
    let filter = filter(&call).await?;
    let page = reservation::list(call.app.store.pool(), &filter, call.cursor(), call.limit()).await?;
    let mut data = Vec::with_capacity(page.items.len());
    let today = call.caller.over(call.operation) == Some(Over::SitesToday);
    for row in &page.items {
        // Which games are today's, the hours of each site say.
        if today && call.may_touch(&show::object(&call, row).await?).is_err() {
            continue;
        }
        data.push(show::shown(&call, row).await?);
    }
    let reply = Reply::list(&call, &page, data)?;
    let tag = etag::of(0, &[&reply.body]);
    Ok(reply.etag(tag))
}

async fn filter(call: &Call) -> Result<Filter, Problem> {
    let query = &call.query;
    let uuid = |text: &str| Uuid::try_parse(text).map_err(|_| "must be an id".to_owned());
    let mut filter = Filter::of(whose(call));
    filter.within = match call.caller.role() {
        // Their sites are in `whose` already, beside what they made.
        Some(Role::Service | Role::Gatekeeper | Role::Cashier) => None,
        _ => call.caller.sites().map(<[SiteId]>::to_vec),
    };
    filter.site_id = call.site_asked().await?;
    filter.pitch_id = query.parsed("pitch_id", uuid)?.map(PitchId::new);
    filter.client_id = query.parsed("client_id", uuid)?.map(ClientId::new);
    filter.status = query.parsed("status[in]", statuses)?.unwrap_or_default();
    filter.starts_at_gte = query.time("starts_at[gte]");
    filter.starts_at_lt = query.time("starts_at[lt]");
    if call.caller.over(call.operation) == Some(Over::SitesToday) {
        let (first, last) = (call.now() - AROUND, call.now() + AROUND);
        filter.starts_at_gte = Some(filter.starts_at_gte.map_or(first, |asked| asked.max(first)));
        filter.starts_at_lt = Some(filter.starts_at_lt.map_or(last, |asked| asked.min(last)));
    }
    filter.sort = match query.text("sort") {
        Some("created_at") => Sort::OldestFirst,
        Some("starts_at") => Sort::StartsAt,
        Some("-starts_at") => Sort::StartsAtDescending,
        _ => Sort::NewestFirst,
    };
    Ok(filter)
}

fn statuses(text: &str) -> Result<Vec<Status>, String> {
    text.split(',')
        .map(|name| {
            Status::ALL.into_iter().find(|status| status.as_str() == name.trim()).ok_or_else(|| {
                let known: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
                format!("must be some of {}", known.join(", "))
            })
        })
        .collect()
}

/// The rights of the table, as a condition of the query: what is not in the list cannot leak.
fn whose(call: &Call) -> Whose {
    let me = call.caller.principal().unwrap_or_default();
    let sites = || call.caller.sites().map(<[SiteId]>::to_vec).unwrap_or_default();
    match call.caller.role() {
        Some(Role::Client) | None => Whose::Client(ClientId::new(me)),
        Some(Role::Manager) => Whose::Manager(PrincipalId::new(me)),
        Some(Role::Service) => Whose::Service { principal: PrincipalId::new(me), sites: sites() },
        Some(Role::Support | Role::Finance | Role::Admin | Role::Auditor) => Whose::Everybody,
        Some(Role::Gatekeeper | Role::Cashier | Role::System | Role::Provider) => Whose::Sites(sites()),
    }
}
