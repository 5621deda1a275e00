//! A receipt: what happened to one thing, each event with the proof that it is in the log under a signed checkpoint. Its
//! holder can check it with a program of 50 lines and no database (docs/audit.md).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{aggregate::Loaded, event::Event, ids::ReservationId, payment, reservation::Reservation};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    LoadError, ReadError, Store,
    export::open,
    merkle::{self, Hash, Invalid},
    note::{Checkpoint, NoteError, Verifier},
    recorded::Position,
    seal::{Inclusion, ProofError, Sealed},
};

const VERSION: u32 = 1;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub receipt: Head,
    /// In the order of the log.
    pub events: Vec<Proven>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    v: u32,
    /// The streams it tells of: a reservation, its payments and refunds.
    pub streams: Vec<Uuid>,
    /// The key that signed: to be compared with the one that was published.
    pub key: String,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    pub checkpoint: String,
}

/// An event and its way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    pub position: Position,
    /// The export line: the data of leaf `position - 1`.
    pub line: String,
    /// RFC 6962 §2.1.1, base64 each.
    pub proof: Vec<String>,
}

/// Why a receipt proves nothing.
#[derive(Debug, Error)]
pub enum BadReceipt {
    #[error("this is not a receipt of Kalel: {0}")]
    NotAReceipt(#[from] serde_json::Error),
    #[error("this receipt has format {0}; this program reads {VERSION}")]
    Format(u32),
    #[error("the receipt names a key that is none, or that is not among those you trust: {0}")]
    Key(String),
    #[error("the checkpoint: {0}")]
    Checkpoint(NoteError),
    #[error("position {position}: {why}")]
    Event { position: Position, why: Invalid },
    #[error("position {0}: the line is that of another position or stream")]
    OtherEvent(Position),
    #[error("the events of stream {0} are not all there, or not in order")]
    Incomplete(Uuid),
}

/// What a line of the log says of itself.
#[derive(Deserialize)]
struct Said {
    position: Position,
    stream_id: Uuid,
    version: i32,
}

impl From<Inclusion> for Proven {
    fn from(inclusion: Inclusion) -> Self {
        let proof = inclusion.proof.iter().map(|hash| STANDARD.encode(hash.0)).collect();
        Self { position: inclusion.position, line: inclusion.line, proof }
    }
}

impl Store {
    /// The receipt of a reservation: its events, and those of the payments with money in it and of their refunds.
    /// `None` when there is no such reservation.
    ///
    /// # Errors
    /// [`ProofError`]; in particular that its last event is not under a checkpoint yet.
    pub async fn reservation_receipt(&self, id: ReservationId) -> Result<Option<Receipt>, ProofError> {
        let reservation: Loaded<Reservation> = match self.load(id).await {
            Ok(reservation) if reservation.version > 0 => reservation,
            Ok(_) | Err(LoadError::OtherNoun { .. }) => return Ok(None),
            Err(LoadError::Read(error)) => return Err(error.into()),
        };
        let mut streams = vec![id.uuid()];
        for payment in reservation.state.paying() {
            streams.push(payment.uuid());
            for recorded in self.read_stream(payment.uuid(), 0, i64::MAX).await? {
                if let Event::Payment(payment::Event::RefundAllotted(allotted)) =
                    recorded.event().map_err(ReadError::from)?
                    && !streams.contains(&allotted.refund_id.uuid())
                {
                    streams.push(allotted.refund_id.uuid());
                }
            }
        }
        let last = sqlx::query_scalar!(
            r#"SELECT max(position) AS "last!" FROM event_log.events WHERE stream_id = ANY ($1)"#,
            &streams
        )
        .fetch_one(self.pool())
        .await?;
        let checkpoint = self.sealed(last).await?;
        self.receipt(streams, &checkpoint).await.map(Some)
    }

    /// The receipt of some streams, under a checkpoint. What was recorded after it is left out.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn receipt(&self, streams: Vec<Uuid>, checkpoint: &Sealed) -> Result<Receipt, ProofError> {
        let positions = sqlx::query_scalar!(
            "SELECT position FROM event_log.events WHERE stream_id = ANY ($1) AND position <= $2 ORDER BY position",
            &streams,
            checkpoint.size
        )
        .fetch_all(self.pool())
        .await?;
        let mut events = Vec::with_capacity(positions.len());
        for position in positions {
            events.push(self.prove_inclusion(position, checkpoint).await?.into());
        }
        let (key, checkpoint) = (checkpoint.verifier.clone(), checkpoint.note.clone());
        Ok(Receipt { receipt: Head { v: VERSION, streams, key, checkpoint }, events })
    }
}

/// Checks a receipt with nothing but itself and the keys that the reader trusts (none: its own).
///
/// # Errors
/// [`BadReceipt`].
pub fn verify(text: &str, keys: &[Verifier]) -> Result<(Receipt, Checkpoint), BadReceipt> {
    let receipt: Receipt = serde_json::from_str(text)?;
    let head = &receipt.receipt;
    if head.v != VERSION {
        return Err(BadReceipt::Format(head.v));
    }
    let key = Verifier::parse(&head.key).ok().filter(|key| keys.is_empty() || keys.contains(key));
    let key = key.ok_or_else(|| BadReceipt::Key(head.key.clone()))?;
    let checkpoint = open(&head.checkpoint, &[key], None).map_err(BadReceipt::Checkpoint)?;
    let mut versions = vec![0; head.streams.len()];
    for event in &receipt.events {
        let position = event.position;
        let leaf = position.checked_sub(1).and_then(|leaf| u64::try_from(leaf).ok()).unwrap_or(u64::MAX);
        let proof: Option<Vec<Hash>> =
            event.proof.iter().map(|hash| STANDARD.decode(hash).ok()?.try_into().ok().map(Hash)).collect();
        let bad = |why| BadReceipt::Event { position, why };
        let proof = proof.ok_or(bad(Invalid::Length))?;
        let hash = Hash::leaf(event.line.as_bytes());
        merkle::verify_inclusion(hash, leaf, checkpoint.size, checkpoint.root, &proof).map_err(bad)?;
        let said: Said = serde_json::from_str(&event.line)?;
        let stream = head.streams.iter().position(|stream| *stream == said.stream_id);
        let version = stream.and_then(|stream| versions.get_mut(stream)).ok_or(BadReceipt::OtherEvent(position))?;
        if said.position != position {
            return Err(BadReceipt::OtherEvent(position));
        }
        *version += 1;
        if *version != said.version {
            return Err(BadReceipt::Incomplete(said.stream_id));
        }
    }
    if let Some((stream, _)) = head.streams.iter().zip(&versions).find(|(_, version)| **version == 0) {
        return Err(BadReceipt::Incomplete(*stream));
    }
    Ok((receipt, checkpoint))
}
