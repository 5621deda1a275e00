//! Links that carry their own proof: nobody finds a payment's page by counting.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::ids::PaymentId;
use uuid::Uuid;

use crate::keyring::Keyring;

/// Bytes of the proof: enough that guessing is hopeless online, short enough for an SMS.
const PROOF: usize = 8;

fn proof(keyring: &Keyring, payment: PaymentId) -> [u8; PROOF] {
    let tag = keyring.hash("pay link v1", payment.uuid().as_bytes());
    let mut short = [0; PROOF];
    short.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
    short
}

/// Our page for a payment: stable, signed, 32 characters behind `/pay/`.
pub fn pay_url(keyring: &Keyring, public_url: &str, payment: PaymentId) -> String {
    let mut bytes = payment.uuid().as_bytes().to_vec();
    bytes.extend(proof(keyring, payment));
    format!("{}/pay/{}", public_url.trim_end_matches('/'), URL_SAFE_NO_PAD.encode(bytes))
}

/// The payment behind the last segment of such a link; `None` when we did not make it.
pub fn read_pay_token(keyring: &Keyring, token: &str) -> Option<PaymentId> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, given) = bytes.split_first_chunk::<16>()?;
    let payment = PaymentId::new(Uuid::from_bytes(*id));
    let expected = proof(keyring, payment);
    // Every byte is compared, however many differ.
    let differs = expected.iter().zip(given).fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
    (given.len() == PROOF && differs == 0).then_some(payment)
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
}
