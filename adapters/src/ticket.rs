//! A ticket as it stands in the QR: 113 bytes, signed, checked offline with the published key.
//!
//! ```text
//! version 1 (1) | key id (4) | reservation (16) | pitch (16) | from (4) | until (4) | revision (4) | Ed25519 (64)
//! ```
//! Numbers are big-endian; instants are minutes since 1970 (UTC), half-open. The signature is over `kalel:ticket:` and
//! the 49 bytes before it. The text is base45 (RFC 9285), which QR codes store in their compact alphanumeric mode.

mod base45;

use chrono::DateTime;
use domain::{
    Timestamp,
    ids::{PitchId, ReservationId},
};
use thiserror::Error;
use uuid::Uuid;

use crate::signing::{PublicKey, SIGNATURE, Signer, SigningKeyId};

const VERSION: u8 = 1;
const CONTEXT: &str = "ticket";
const BODY: usize = 1 + 4 + 16 + 16 + 4 + 4 + 4;
/// Bytes of a ticket before base45.
pub const SIZE: usize = BODY + SIGNATURE;

/// What a ticket says: who plays is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub reservation: ReservationId,
    pub pitch: PitchId,
    /// Whole minutes; seconds are cut off.
    pub from: Timestamp,
    /// Whole minutes; seconds are cut off.
    pub until: Timestamp,
    /// Counts up when a reservation is moved, so that an old ticket can be told from its successor.
    pub revision: u32,
}

/// Why a ticket is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TicketError {
    #[error("not a ticket")]
    Unreadable,
    #[error("a ticket of version {0}")]
    OtherVersion(u8),
    #[error("signed with a key that is not ours")]
    UnknownKey,
    #[error("the signature is wrong")]
    WrongSignature,
    #[error("a time before 1970 or after 10136")]
    OutOfRange,
}

impl Ticket {
    /// The signed text for the QR.
    ///
    /// # Errors
    /// [`TicketError::OutOfRange`] when a time does not fit.
    pub fn sign(&self, signer: &Signer) -> Result<String, TicketError> {
        let mut bytes = Vec::with_capacity(SIZE);
        bytes.push(VERSION);
        bytes.extend(signer.public().id().0);
        bytes.extend(self.reservation.uuid().as_bytes());
        bytes.extend(self.pitch.uuid().as_bytes());
        bytes.extend(minutes(self.from)?.to_be_bytes());
        bytes.extend(minutes(self.until)?.to_be_bytes());
        bytes.extend(self.revision.to_be_bytes());
        let signature = signer.sign(CONTEXT, &bytes);
        bytes.extend(signature);
        Ok(base45::encode(&bytes))
    }

    /// Reads a ticket that one of `keys` has signed. Whether it is still good (times, revision, cancelled, used) is the
    /// caller's to know.
    ///
    /// # Errors
    /// [`TicketError`].
    pub fn verify(text: &str, keys: &[PublicKey]) -> Result<Self, TicketError> {
        // Bounded before anything is decoded.
        if text.len() > 2 * SIZE {
            return Err(TicketError::Unreadable);
        }
        let bytes = base45::decode(text).ok_or(TicketError::Unreadable)?;
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) if bytes.len() == SIZE => return Err(TicketError::OtherVersion(version)),
            _ => return Err(TicketError::Unreadable),
        }
        let (body, signature) = bytes.split_at_checked(BODY).ok_or(TicketError::Unreadable)?;
        let signature: [u8; SIGNATURE] = signature.try_into().map_err(|_| TicketError::Unreadable)?;
        let mut fields = Fields(body.get(1..).unwrap_or_default());
        let id = SigningKeyId(fields.take()?);
        // Ids are short: two keys may share one.
        let mut candidates = keys.iter().filter(|key| key.id() == id).peekable();
        if candidates.peek().is_none() {
            return Err(TicketError::UnknownKey);
        }
        if !candidates.any(|key| key.verifies(CONTEXT, body, &signature)) {
            return Err(TicketError::WrongSignature);
        }
        Ok(Self {
            reservation: Uuid::from_bytes(fields.take()?).into(),
            pitch: Uuid::from_bytes(fields.take()?).into(),
            from: instant(u32::from_be_bytes(fields.take()?))?,
            until: instant(u32::from_be_bytes(fields.take()?))?,
            revision: u32::from_be_bytes(fields.take()?),
        })
    }
}

struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], TicketError> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(TicketError::Unreadable)?;
        self.0 = rest;
        Ok(*field)
    }
}

fn minutes(at: Timestamp) -> Result<u32, TicketError> {
    u32::try_from(at.timestamp().div_euclid(60)).map_err(|_| TicketError::OutOfRange)
}

fn instant(minutes: u32) -> Result<Timestamp, TicketError> {
    DateTime::from_timestamp(i64::from(minutes) * 60, 0).ok_or(TicketError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ticket(id: u128, from: u32, length: u16, revision: u32) -> Ticket {
        let from = from.min(u32::MAX - u32::from(length));
        Ticket {
            reservation: Uuid::from_u128(id).into(),
            pitch: Uuid::from_u128(!id).into(),
            from: instant(from).unwrap(),
            until: instant(from + u32::from(length)).unwrap(),
            revision,
        }
    }

    #[test]
    fn a_ticket_is_at_most_140_bytes() {
        let text = ticket(1, 29_000_000, 90, 0).sign(&Signer::from_seed(&[1; 32])).unwrap();
        assert_eq!(base45::decode(&text).unwrap().len(), SIZE);
        assert!(SIZE <= 140 && text.len() == 170, "{} characters", text.len());
    }

    #[test]
    fn a_ticket_of_a_key_we_do_not_publish_is_refused() {
        let (ours, theirs) = (Signer::from_seed(&[1; 32]), Signer::from_seed(&[2; 32]));
        let text = ticket(1, 29_000_000, 90, 0).sign(&theirs).unwrap();
        assert_eq!(Ticket::verify(&text, &[ours.public().clone()]), Err(TicketError::UnknownKey));
        assert_eq!(Ticket::verify(&text, &[]), Err(TicketError::UnknownKey));
    }

    #[test]
    fn another_version_is_named() {
        let signer = Signer::from_seed(&[1; 32]);
        let mut bytes = base45::decode(&ticket(1, 29_000_000, 90, 0).sign(&signer).unwrap()).unwrap();
        bytes[0] = 2;
        let keys = [signer.public().clone()];
        assert_eq!(Ticket::verify(&base45::encode(&bytes), &keys), Err(TicketError::OtherVersion(2)));
    }

    #[test]
    fn each_flipped_bit_and_each_cut_is_refused() {
        let signer = Signer::from_seed(&[1; 32]);
        let keys = [signer.public().clone()];
        let bytes = base45::decode(&ticket(7, 29_000_000, 90, 3).sign(&signer).unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut spoiled = bytes.clone();
            spoiled[bit / 8] ^= 1 << (bit % 8);
            assert!(Ticket::verify(&base45::encode(&spoiled), &keys).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(Ticket::verify(&base45::encode(&bytes[..length]), &keys).is_err(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn what_was_signed_is_read_back(id in any::<u128>(), from in any::<u32>(), length in 1_u16..600, revision in any::<u32>()) {
            let (signer, ticket) = (Signer::from_seed(&[1; 32]), ticket(id, from, length, revision));
            let text = ticket.sign(&signer).unwrap();
            prop_assert_eq!(Ticket::verify(&text, &[signer.public().clone()]), Ok(ticket));
        }

        #[test]
        fn no_text_makes_it_fall_over(text in "[0-9A-Z $%*+./:-]{0,300}|\\PC{0,50}") {
            prop_assert!(Ticket::verify(&text, &[Signer::from_seed(&[1; 32]).public().clone()]).is_err());
        }
    }
}
