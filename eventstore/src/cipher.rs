//! Authenticated encryption of personal fields: XChaCha20-Poly1305 (RFC 8439 with the extended nonce of
//! draft-irtf-cfrg-xchacha), random nonces, the subject and the field's name as associated data.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::keyring::Key;

/// First byte of every ciphertext, so that the method can change later.
const METHOD: u8 = 1;
const NONCE: usize = 24;

/// What a ciphertext belongs to: it cannot be moved to another subject or field.
pub(crate) fn aad(subject: Uuid, field: &str) -> Vec<u8> {
    let mut aad = subject.as_bytes().to_vec();
    aad.extend_from_slice(field.as_bytes());
    aad
}

/// 32 bytes of the operating system's randomness.
pub(crate) fn new_key() -> Key {
    let mut key = Zeroizing::new([0; 32]);
    random(key.as_mut_slice());
    key
}

/// Encrypts; answers base64url of method, nonce and ciphertext.
pub(crate) fn seal(key: &Key, aad: &[u8], plain: &[u8]) -> String {
    let mut nonce = [0; NONCE];
    random(&mut nonce);
    let cipher = XChaCha20Poly1305::new(key.as_slice().try_into().unwrap_or(&[0; 32].into()));
    // Fails only beyond 256 GiB. An empty text opens as nothing.
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad }).unwrap_or_default();
    let mut bytes = vec![METHOD];
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&sealed);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decrypts; `None` when it was sealed under another key, for something else, or changed since.
pub(crate) fn open(key: &Key, aad: &[u8], sealed: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (&METHOD, rest) = bytes.split_first()? else { return None };
    let (nonce, ciphertext) = rest.split_at_checked(NONCE)?;
    let nonce: [u8; NONCE] = nonce.try_into().ok()?;
    let cipher = XChaCha20Poly1305::new(key.as_slice().try_into().ok()?);
    cipher.decrypt(&XNonce::from(nonce), Payload { msg: ciphertext, aad }).ok()
}

pub(crate) fn random(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        // Going on without randomness would betray every secret that follows.
        tracing::error!("the operating system gives no randomness");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_sealed_opens_only_for_its_subject_and_field(text in ".*", flip in 0usize..64) {
            let key = new_key();
            let subject = Uuid::from_u128(7);
            let sealed = seal(&key, &aad(subject, "phone"), text.as_bytes());
            prop_assert_eq!(open(&key, &aad(subject, "phone"), &sealed), Some(text.into_bytes()));
            prop_assert_eq!(open(&key, &aad(subject, "name"), &sealed), None);
            prop_assert_eq!(open(&key, &aad(Uuid::from_u128(8), "phone"), &sealed), None);
            prop_assert_eq!(open(&new_key(), &aad(subject, "phone"), &sealed), None);
            let mut bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
            let at = flip % bytes.len();
            bytes[at] ^= 1;
            prop_assert_eq!(open(&key, &aad(subject, "phone"), &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn opening_anything_never_panics(text in ".*") {
            prop_assert_eq!(open(&new_key(), b"", &text), None);
        }
    }
}
