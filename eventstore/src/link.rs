//! Links that carry their own proof: nobody finds a payment's page by counting.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ids::{ClientId, NumberChangeId, PaymentId, RecoveryId, ReservationId, ShareId};
use uuid::Uuid;

use crate::keyring::Keyring;

/// Bytes of the proof: enough that guessing is hopeless online, short enough for an SMS.
const PROOF: usize = 8;

fn proof(keyring: &Keyring, purpose: &str, named: &[u8]) -> [u8; PROOF] {
    let tag = keyring.hash(purpose, named);
    let mut short = [0; PROOF];
    short.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
    short
}

const PAY: &str = "pay link v1";
const SHARE: &str = "share link v1";
const RECOVERY: &str = "recovery link v1";
const NUMBER: &str = "number change link v1";

/// Our page for a payment: stable, signed, 32 characters behind `/pay/`.
pub fn pay_url(keyring: &Keyring, public_url: &str, payment: PaymentId) -> String {
    format!("{}/pay/{}", public_url.trim_end_matches('/'), token(keyring, PAY, payment.uuid().as_bytes()))
}

/// Our page for a share of a reservation: likewise, behind `/pay/share/`.
pub fn share_url(keyring: &Keyring, public_url: &str, reservation: ReservationId, share: ShareId) -> String {
    let named = [*reservation.uuid().as_bytes(), *share.uuid().as_bytes()].concat();
    format!("{}/pay/share/{}", public_url.trim_end_matches('/'), token(keyring, SHARE, &named))
}

/// What a link stops: something about a client that was to take a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    Recovery(ClientId, RecoveryId),
    NumberChange(ClientId, NumberChangeId),
}

impl Stops {
    const fn parts(self) -> (&'static str, Uuid, Uuid) {
        match self {
            Self::Recovery(client, recovery) => (RECOVERY, client.uuid(), recovery.uuid()),
            Self::NumberChange(client, change) => (NUMBER, client.uuid(), change.uuid()),
        }
    }
}

/// Our page on which somebody stops it: likewise, behind `/stop/`.
pub fn stop_url(keyring: &Keyring, public_url: &str, stops: Stops) -> String {
    let (purpose, client, what) = stops.parts();
    let named = [*client.as_bytes(), *what.as_bytes()].concat();
    format!("{}/stop/{}", public_url.trim_end_matches('/'), token(keyring, purpose, &named))
}

fn token(keyring: &Keyring, purpose: &str, named: &[u8]) -> String {
    let mut bytes = named.to_vec();
    bytes.extend(proof(keyring, purpose, named));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind a token, when we made it for this purpose.
fn read<const N: usize>(keyring: &Keyring, purpose: &str, token: &str) -> Option<[u8; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (named, given) = bytes.split_first_chunk::<N>()?;
    let expected = proof(keyring, purpose, named);
    // Every byte is compared, however many differ.
    let differs = expected.iter().zip(given).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
    (given.len() == PROOF && differs == 0).then_some(*named)
}

/// The payment behind the last segment of such a link; `None` when we did not make it.
pub fn read_pay_token(keyring: &Keyring, token: &str) -> Option<PaymentId> {
    read::<16>(keyring, PAY, token).map(|id| PaymentId::new(Uuid::from_bytes(id)))
}

/// What the last segment of such a link stops; `None` when we did not make it.
pub fn read_stop_token(keyring: &Keyring, token: &str) -> Option<Stops> {
    let of = |purpose| {
        let named = read::<32>(keyring, purpose, token)?;
        let (client, what) = named.split_first_chunk::<16>()?;
        Some((ClientId::new(Uuid::from_bytes(*client)), Uuid::from_slice(what).ok()?))
    };
    let recovery = of(RECOVERY).map(|(client, id)| Stops::Recovery(client, RecoveryId::new(id)));
    recovery.or_else(|| of(NUMBER).map(|(client, id)| Stops::NumberChange(client, NumberChangeId::new(id))))
}

/// The share behind the last segment of such a link; `None` when we did not make it.
pub fn read_share_token(keyring: &Keyring, token: &str) -> Option<(ReservationId, ShareId)> {
    let named = read::<32>(keyring, SHARE, token)?;
    let (reservation, share) = named.split_first_chunk::<16>()?;
    let share = Uuid::from_slice(share).ok()?;
    Some((ReservationId::new(Uuid::from_bytes(*reservation)), ShareId::new(share)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_links_lead_somewhere() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let payment = PaymentId::new(Uuid::from_u128(7));
        let url = pay_url(&keyring, "https://kalel.example/", payment);
        let token = url.strip_prefix("https://kalel.example/pay/").unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(read_pay_token(&keyring, token), Some(payment));
        assert_eq!(read_pay_token(&Keyring::new([1; 32], [3; 32]), token), None);
        for cut in 0..token.len() {
            assert_eq!(read_pay_token(&keyring, &token[..cut]), None);
        }
        let mut other = token.to_owned();
        other.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
        assert_eq!(read_pay_token(&keyring, &other), None);
        assert_eq!(read_pay_token(&keyring, "…"), None);
    }

    #[test]
    fn a_link_stops_one_thing_of_one_client() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let (client, id) = (ClientId::new(Uuid::from_u128(7)), Uuid::from_u128(8));
        let recovery = Stops::Recovery(client, RecoveryId::new(id));
        let change = Stops::NumberChange(client, NumberChangeId::new(id));
        let token = |stops| stop_url(&keyring, "https://kalel.example", stops).rsplit('/').next().unwrap().to_owned();
        for stops in [recovery, change] {
            assert_eq!(read_stop_token(&keyring, &token(stops)), Some(stops));
            assert_eq!(read_stop_token(&Keyring::new([1; 32], [3; 32]), &token(stops)), None);
            assert_eq!(read_share_token(&keyring, &token(stops)), None);
        }
        assert_ne!(token(recovery), token(change));
        let share = share_url(&keyring, "", ReservationId::new(Uuid::from_u128(7)), ShareId::new(id));
        assert_eq!(read_stop_token(&keyring, share.rsplit('/').next().unwrap()), None);
    }

    #[test]
    fn the_link_of_a_share_is_no_link_of_a_payment() {
        let keyring = Keyring::new([1; 32], [2; 32]);
        let (reservation, share) = (ReservationId::new(Uuid::from_u128(7)), ShareId::new(Uuid::from_u128(8)));
        let url = share_url(&keyring, "https://kalel.example", reservation, share);
        let token = url.strip_prefix("https://kalel.example/pay/share/").unwrap();
        assert_eq!(read_share_token(&keyring, token), Some((reservation, share)));
        assert_eq!(read_pay_token(&keyring, token), None);
        let other = share_url(&keyring, "", reservation, ShareId::new(Uuid::from_u128(9)));
        assert_ne!(other.rsplit('/').next(), Some(token));
        assert_eq!(read_share_token(&Keyring::new([1; 32], [3; 32]), token), None);
        let payment = pay_url(&keyring, "", PaymentId::new(Uuid::from_u128(7)));
        assert_eq!(read_share_token(&keyring, payment.rsplit('/').next().unwrap()), None);
    }
}
