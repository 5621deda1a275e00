//! A statement comes as a file: read wholly or not at all, compared, written down.

use adapters::statements::{self, Fault};
use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    reconciliation::{Digest, Import, Line, Reconciliation, Source, id_of, import as compare},
    text::Text,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Day, account::ACCOUNT, body::ReconciliationBody};
use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Operation, Shape, Success, Upload},
        position,
        reply::Reply,
    },
    problem::Problem,
};

pub const IMPORT: Operation = Operation {
    id: "reconciliation.import",
    path: "/v1/reconciliations/{provider}/{day}/statement",
    summary: "Import the statement of a day",
    about: "A CSV in UTF-8, in the canonical form or in the provider's own words (docs/reconciliation.md). A file with a fault \
            is refused with the lines that have one (`lines`), and nothing of it counts. The same file again changes nothing; \
            another one of the same day takes its place.",
    authz: super::WRITES,
    query: &[ACCOUNT],
    upload: Some(Upload {
        media: "text/csv",
        most: statements::MOST_BYTES,
        about: "The statement.",
        example: "transaction,kind,state,amount,fee,currency,at,reference\n\
                  T_GK4HQ7,charge,succeeded,15000,150,XOF,2026-11-28T21:10:00Z,AZqyxF8AcACAAAAAAAAABQ\n",
    }),
    success: Success {
        shape: Some(Shape::of::<ReconciliationBody>()),
        about: "How the day stands now.",
        ..Operation::READ.success
    },
    refusals: &[
        "reconciliation.unknown_account",
        "reconciliation.statement_unreadable",
        "reconciliation.day_not_begun",
        "reconciliation.closed",
        "reconciliation.too_many_differences",
        "projection_behind",
    ],
    run: |call| Box::pin(import(call)),
    ..Operation::WRITE
};

async fn import(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    if let Some((then, position)) = day.resumed(&call).await? {
        return answer(&then, position);
    }
    let subjects = call.app.store.subjects();
    let listed = statements::read(day.provider, day.day, &call.body).map_err(|faults| unreadable(&faults))?;
    let lines: Vec<Line> = listed.into_iter().map(|line| line.line(|number| subjects.hash_phone(number))).collect();
    let digest: Digest =
        Text::new(&hex::encode(Sha256::digest(&call.body))).map_err(|_| Problem::new("server.error"))?;
    let terms = call.app.settings.terms.get(&day.provider).copied().unwrap_or_default();
    let mut tries = Tries::default();
    loop {
        // Our side must not lack what was acknowledged before the statement came.
        position::reached(&call.app, call.app.store.head().await?).await?;
        let pool = call.app.store.pool();
        let scope = day.scope();
        let sides = projections::reconciliation::sides(pool, &scope, &lines).await.map_err(Problem::from)?;
        let wish = Import {
            provider: day.provider,
            account: day.account.clone(),
            day: day.day,
            source: Source::Csv,
            digest: digest.clone(),
            lines: lines.clone(),
            movements: sides.movements,
            elsewhere: sides.elsewhere,
            terms,
            as_of_position: sides.as_of,
        };
        let known = day.load(&call).await?;
        call.precondition.check(known.version)?;
        let neighbours = neighbours(&call, &day).await?;
        let neighbours: Vec<&Loaded<Reconciliation>> = neighbours.iter().collect();
        let decision = compare(&known, &neighbours, &wish, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            return answer(&after(known, &decision), written.position);
        }
        tries.again()?;
    }
}

/// The days before and after.
async fn neighbours(call: &Call, day: &Day) -> Result<Vec<Loaded<Reconciliation>>, Problem> {
    let mut found = Vec::new();
    for other in [day.day.pred_opt(), day.day.succ_opt()].into_iter().flatten() {
        found.push(call.app.store.load(id_of(day.provider, &day.account, other)).await?);
    }
    Ok(found)
}

fn unreadable(faults: &[Fault]) -> Problem {
    let said = |fault: &Fault| {
        let detail = fault.what.to_string();
        json!({ "line": fault.line, "column": fault.column, "detail": detail })
    };
    Problem::new("reconciliation.statement_unreadable").member("lines", faults.iter().map(said).collect::<Vec<Value>>())
}

pub(super) fn answer(of: &Loaded<Reconciliation>, position: i64) -> Result<Reply, Halt> {
    let body = ReconciliationBody::folded(of).ok_or_else(|| Problem::new("object.not_found"))?;
    Ok(Reply::json(StatusCode::OK, &body)?.position(position).derived())
}
