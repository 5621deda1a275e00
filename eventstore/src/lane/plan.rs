//! The net result of a decided batch, as the arrays that the lane's two functions take.

use domain::{Timestamp, aggregate::Version};
use sqlx::PgConnection;
use uuid::Uuid;

use super::overlay::Overlay;
use crate::recorded::Position;

/// The key of the advisory lock that orders every append of this database. Positions are per lane, and there is one.
pub(crate) const LOCK: i64 = 20_261_122;

/// A query that takes the net result after its first arguments, in the order of `event_log.write`.
macro_rules! net_result {
    ($plan:ident, $sql:literal, $($first:tt)*) => {
        sqlx::query!(
            $sql,
            $($first)*,
            &$plan.e_ids,
            &$plan.e_streams,
            &$plan.e_versions,
            &$plan.e_types as _,
            &$plan.e_schemas,
            &$plan.e_data as _,
            &$plan.e_meta as _,
            &$plan.k_keys as _,
            &$plan.k_fingerprints as _,
            &$plan.k_streams,
            &$plan.k_counts,
            &$plan.k_first,
            &$plan.k_last,
            &$plan.k_expires as _,
            &$plan.r_holders,
            &$plan.r_n,
            &$plan.x_holders,
            &$plan.x_at as _,
            &$plan.c_cells,
            &$plan.c_from,
            &$plan.c_to,
            &$plan.c_holders,
            &$plan.c_releasable as _,
            &$plan.c_lapses as _,
            &$plan.c_from_n,
            &$plan.c_to_n as _,
            &$plan.g_scopes as _,
            &$plan.g_keys as _,
            &$plan.u_scopes as _,
            &$plan.u_keys as _,
            &$plan.u_holders,
            &$plan.u_n,
            &$plan.h_scopes as _,
            &$plan.h_holders,
            &$plan.h_n as _
        )
    };
}

/// One array per column.
#[derive(Default)]
pub(crate) struct Plan<'a> {
    pub(crate) e_ids: Vec<Uuid>,
    e_streams: Vec<Uuid>,
    e_versions: Vec<Version>,
    e_types: Vec<&'static str>,
    e_schemas: Vec<i16>,
    e_data: Vec<&'a str>,
    e_meta: Vec<&'a str>,
    k_keys: Vec<&'a [u8]>,
    k_fingerprints: Vec<&'a [u8]>,
    k_streams: Vec<Uuid>,
    k_counts: Vec<i32>,
    k_first: Vec<i64>,
    k_last: Vec<i64>,
    k_expires: Vec<Option<Timestamp>>,
    r_holders: Vec<Uuid>,
    r_n: Vec<i64>,
    x_holders: Vec<Uuid>,
    x_at: Vec<Option<Timestamp>>,
    c_cells: Vec<Uuid>,
    c_from: Vec<Timestamp>,
    c_to: Vec<Timestamp>,
    c_holders: Vec<Uuid>,
    c_releasable: Vec<Option<Timestamp>>,
    c_lapses: Vec<Option<String>>,
    c_from_n: Vec<i64>,
    c_to_n: Vec<Option<i64>>,
    g_scopes: Vec<&'a str>,
    g_keys: Vec<&'a str>,
    u_scopes: Vec<&'a str>,
    u_keys: Vec<&'a str>,
    u_holders: Vec<Uuid>,
    u_n: Vec<i64>,
    h_scopes: Vec<&'a str>,
    h_holders: Vec<Uuid>,
    h_n: Vec<Option<i64>>,
}

impl<'a> Plan<'a> {
    pub(crate) fn of(overlay: &'a Overlay<'_>) -> Self {
        let mut plan = Self::default();
        for row in &overlay.rows {
            plan.e_ids.push(row.id);
            plan.e_streams.push(row.stream);
            plan.e_versions.push(row.version);
            plan.e_types.push(row.name);
            plan.e_schemas.push(row.schema);
            plan.e_data.push(&row.data);
            plan.e_meta.push(&row.meta);
        }
        for once in &overlay.once {
            plan.k_keys.push(&once.record.key);
            plan.k_fingerprints.push(&once.record.fingerprint);
            plan.k_streams.extend(&once.record.ids);
            plan.k_counts.push(i32::try_from(once.record.ids.len()).unwrap_or(i32::MAX));
            plan.k_first.push(once.record.first_position);
            plan.k_last.push(once.record.last_position);
            plan.k_expires.push(once.expires_at);
        }
        plan.guards(overlay);
        plan
    }

    fn guards(&mut self, overlay: &'a Overlay<'_>) {
        let guards = &overlay.guards;
        (self.r_holders, self.r_n) = guards.released.iter().unzip();
        (self.x_holders, self.x_at) = guards.moved.iter().unzip();
        for held in guards.claims.iter().filter(|held| !held.stored) {
            self.c_cells.push(held.cell);
            self.c_from.push(held.during.from());
            self.c_to.push(held.during.to());
            self.c_holders.push(held.holder);
            self.c_releasable.push(held.releasable_at);
            // Ids and a date always have a JSON form.
            self.c_lapses.push(held.lapse.as_ref().and_then(|lapse| serde_json::to_string(lapse).ok()));
            self.c_from_n.push(held.from);
            self.c_to_n.push(held.to);
        }
        for (name, changed) in &guards.uniques {
            if guards.stored_name(name) {
                self.g_scopes.push(&name.0);
                self.g_keys.push(&name.1);
            }
            if let Some((holder, n)) = changed {
                self.u_scopes.push(&name.0);
                self.u_keys.push(&name.1);
                self.u_holders.push(*holder);
                self.u_n.push(*n);
            }
        }
        for (scope, changed) in &guards.holdings {
            for (holder, n) in changed {
                self.h_scopes.push(scope);
                self.h_holders.push(*holder);
                self.h_n.push(*n);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.e_ids.is_empty() && self.k_keys.is_empty()
    }

    /// Whether there is one event and nothing else: no guard is touched, nothing is to be remembered, and only its own
    /// stream is relied on.
    fn only_one_event(&self, relied_on: usize) -> bool {
        self.e_ids.len() == 1
            && relied_on == 1
            && self.k_keys.is_empty()
            && self.r_holders.is_empty()
            && self.x_holders.is_empty()
            && self.c_cells.is_empty()
            && self.g_keys.is_empty()
            && self.u_keys.is_empty()
            && self.h_scopes.is_empty()
    }

    /// Writes what was decided on facts, in the open transaction that holds the lane lock.
    pub(crate) async fn write(&self, tx: &mut PgConnection, head: Position, at: Timestamp) -> Result<(), sqlx::Error> {
        net_result!(
            self,
            "SELECT event_log.write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37)",
            head,
            at
        )
        .fetch_all(tx)
        .await?;
        Ok(())
    }

    /// Takes the lock, checks what was taken for granted and writes, all in one round trip. `None`, and nothing is
    /// written, when anything is otherwise.
    ///
    /// All rows are fetched, not the first one: sqlx answers `fetch_one` as soon as the row is there, and that is before
    /// the commit. Only the end of the answer acknowledges.
    pub(crate) async fn append(
        &self,
        connection: &mut PgConnection,
        overlay: &Overlay<'_>,
        lane: &str,
        epoch: i64,
    ) -> Result<Option<(Position, Timestamp)>, sqlx::Error> {
        let (s_ids, s_versions): (Vec<_>, Vec<_>) = overlay.assumed.versions.iter().copied().unzip();
        let (f_keys, f_tokens): (Vec<_>, Vec<_>) =
            overlay.assumed.fences.iter().map(|(key, token)| (key.as_str(), *token)).unzip();
        let (l_scopes, l_most): (Vec<_>, Vec<_>) =
            overlay.guards.most.iter().flatten().map(|(scope, most)| (scope.as_str(), *most)).unzip();
        if self.only_one_event(s_ids.len()) && f_keys.is_empty() && l_scopes.is_empty() {
            return self.append_one(connection, lane, epoch).await;
        }
        let rows = net_result!(
            self,
            r#"SELECT head AS "head!", at AS "at!" FROM event_log.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                   $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31,
                   $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44)"#,
            LOCK,
            lane,
            epoch,
            &s_ids,
            &s_versions,
            &l_scopes as _,
            &l_most,
            &f_keys as _,
            &f_tokens
        )
        .fetch_all(connection)
        .await?;
        Ok(rows.first().map(|row| (row.head, row.at)))
    }
    /// [`Plan::append`] for what a lone caller most often writes.
    async fn append_one(
        &self,
        connection: &mut PgConnection,
        lane: &str,
        epoch: i64,
    ) -> Result<Option<(Position, Timestamp)>, sqlx::Error> {
        let (Some(id), Some(stream), Some(version)) =
            (self.e_ids.first(), self.e_streams.first(), self.e_versions.first())
        else {
            return Ok(None);
        };
        let answers = sqlx::query_scalar!(
            "SELECT event_log.append_one($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            LOCK,
            lane,
            epoch,
            id,
            stream,
            version,
            self.e_types.first().copied(),
            self.e_schemas.first().copied(),
            self.e_data.first().copied(),
            self.e_meta.first().copied()
        )
        .fetch_all(connection)
        .await?;
        match answers.into_iter().next().flatten().as_deref() {
            Some([head, micros]) => {
                let at = Timestamp::from_timestamp_micros(*micros)
                    .ok_or_else(|| sqlx::Error::Decode("an instant out of range".into()))?;
                Ok(Some((*head, at)))
            }
            _ => Ok(None),
        }
    }
}
