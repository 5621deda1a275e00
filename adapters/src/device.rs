//! Telephones that sign: an Ed25519 key pair (RFC 8032) whose private half never leaves the device's key store.
//!
//! ```text
//! kalel-sign-in-v1 \n <challenge id> \n <purpose>
//! ```

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{client::DeviceKey, sign_in::Purpose};
use ed25519_dalek::{Signature, VerifyingKey};
use thiserror::Error;
use uuid::Uuid;

/// Not a key that anything can be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not an Ed25519 public key: 32 bytes in base64url without padding")]
pub struct NoKey;

/// Reads the public half of a device's key pair.
///
/// # Errors
/// [`NoKey`]; also for the few points under which anybody's signature would be good.
pub fn key(text: &str) -> Result<DeviceKey, NoKey> {
    let key = read(text).ok_or(NoKey)?;
    if key.is_weak() { Err(NoKey) } else { Ok(DeviceKey(text.to_owned())) }
}

fn read(text: &str) -> Option<VerifyingKey> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}

/// What a device signs to answer a challenge.
pub fn signed_text(challenge: Uuid, purpose: Purpose) -> String {
    format!("kalel-sign-in-v1\n{challenge}\n{}", purpose.as_str())
}

/// Whether the device signed for this challenge. The signature is 64 bytes in base64url without padding.
pub fn signed(key: &DeviceKey, challenge: Uuid, purpose: Purpose, signature: &str) -> bool {
    let Some(key) = read(&key.0) else { return false };
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    let Ok(signature) = Signature::from_slice(&bytes) else { return false };
    key.verify_strict(signed_text(challenge, purpose).as_bytes(), &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn device() -> (SigningKey, DeviceKey) {
        let private = SigningKey::from_bytes(&[7; 32]);
        let public = key(&URL_SAFE_NO_PAD.encode(private.verifying_key().as_bytes())).unwrap();
        (private, public)
    }

    #[test]
    fn a_signature_is_of_one_device_one_challenge_and_one_purpose() {
        let (private, public) = device();
        let id = Uuid::from_u128(7);
        let signature = private.sign(signed_text(id, Purpose::SignIn).as_bytes());
        let text = URL_SAFE_NO_PAD.encode(signature.to_bytes());
        assert!(signed(&public, id, Purpose::SignIn, &text));
        assert!(!signed(&public, Uuid::from_u128(8), Purpose::SignIn, &text));
        let other = SigningKey::from_bytes(&[8; 32]);
        let other = DeviceKey(URL_SAFE_NO_PAD.encode(other.verifying_key().as_bytes()));
        assert!(!signed(&other, id, Purpose::SignIn, &text));
        let mut bytes = signature.to_bytes();
        bytes[5] ^= 1;
        assert!(!signed(&public, id, Purpose::SignIn, &URL_SAFE_NO_PAD.encode(bytes)));
        for nonsense in ["", "x", "////", &text[..80], &format!("{text}=")] {
            assert!(!signed(&public, id, Purpose::SignIn, nonsense), "{nonsense}");
        }
    }

    #[test]
    fn what_is_no_key_or_a_key_of_anybody_is_refused() {
        for text in ["", "x", "AAAA", &"A".repeat(43), &format!("{}=", "A".repeat(43)), &"/".repeat(43)] {
            assert_eq!(key(text), Err(NoKey), "{text}");
        }
        assert!(key(&device().1.0).is_ok());
    }
}
