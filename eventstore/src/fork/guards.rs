//! The guards as events leave them. They were let through when they were recorded, so nothing is asked again.

use std::collections::HashMap;

use domain::{
    Timestamp,
    event::Event,
    guard::{self, Op},
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::recorded::Position;

/// Rows written at once.
const CHUNK: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Guards {
    names: HashMap<(String, String), (Uuid, Position)>,
    holdings: HashMap<(String, Uuid), Position>,
    /// When the claims of a holder may lapse. Of a claim, nothing else changes in its row while it is open.
    lapses: HashMap<Uuid, Timestamp>,
}

impl Guards {
    pub(super) fn follow(&mut self, event: &Event, position: Position) {
        for op in guard::of(event) {
            match op {
                Op::Claim(claim) => {
                    if let Some(at) = claim.releasable_at {
                        self.lapses.insert(claim.holder, at);
                    }
                }
                Op::Extend { holder, releasable_at } => {
                    // Once firm, always firm.
                    if let Some(at) = self.lapses.get_mut(&holder) {
                        *at = releasable_at;
                    }
                }
                Op::Firm { holder } | Op::Release { holder } => {
                    self.lapses.remove(&holder);
                }
                Op::Unique { scope, key, holder } => {
                    self.names.entry((scope.to_owned(), key)).or_insert((holder, position));
                }
                Op::Forget { scope, key } => {
                    self.names.remove(&(scope.to_owned(), key));
                }
                Op::Limit { .. } => {}
                Op::Enter { scope, holder } => {
                    self.holdings.entry((scope, holder)).or_insert(position);
                }
                Op::Leave { scope, holder } => {
                    self.holdings.remove(&(scope, holder));
                }
            }
        }
    }

    /// Writes names and holdings, and puts the claims, which were copied, back to when they could lapse then.
    pub(super) async fn write(self, to: &mut PgConnection) -> Result<(), sqlx::Error> {
        let names: Vec<_> = self.names.into_iter().collect();
        for chunk in names.chunks(CHUNK) {
            let scopes: Vec<String> = chunk.iter().map(|((scope, _), _)| scope.clone()).collect();
            let keys: Vec<String> = chunk.iter().map(|((_, key), _)| key.clone()).collect();
            let holders: Vec<Uuid> = chunk.iter().map(|(_, (holder, _))| *holder).collect();
            let positions: Vec<Position> = chunk.iter().map(|(_, (_, position))| *position).collect();
            sqlx::query!(
                "INSERT INTO event_log.unique_claims (scope, key, holder, position)
                 SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[])",
                &scopes,
                &keys,
                &holders,
                &positions
            )
            .execute(&mut *to)
            .await?;
        }
        let holdings: Vec<_> = self.holdings.into_iter().collect();
        for chunk in holdings.chunks(CHUNK) {
            let scopes: Vec<String> = chunk.iter().map(|((scope, _), _)| scope.clone()).collect();
            let holders: Vec<Uuid> = chunk.iter().map(|((_, holder), _)| *holder).collect();
            let positions: Vec<Position> = chunk.iter().map(|(_, position)| *position).collect();
            sqlx::query!(
                "INSERT INTO event_log.holdings (scope, holder, position)
                 SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])",
                &scopes,
                &holders,
                &positions
            )
            .execute(&mut *to)
            .await?;
        }
        let lapses: Vec<_> = self.lapses.into_iter().collect();
        for chunk in lapses.chunks(CHUNK) {
            let (holders, times): (Vec<Uuid>, Vec<Timestamp>) = chunk.iter().copied().unzip();
            sqlx::query!(
                "UPDATE event_log.slot_claims AS claim SET releasable_at = hold.at
                 FROM unnest($1::uuid[], $2::timestamptz[]) AS hold (holder, at)
                 WHERE claim.holder = hold.holder AND claim.to_position IS NULL",
                &holders,
                &times
            )
            .execute(&mut *to)
            .await?;
        }
        Ok(())
    }
}
