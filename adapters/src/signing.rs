//! Ed25519 signatures (RFC 8032) with named keys: what was signed can be checked offline with the published key.

use std::{fmt, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey, pkcs8::DecodePrivateKey};
use serde_json::json;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Bytes of a signature.
pub const SIGNATURE: usize = 64;

/// The first four bytes of SHA-256 of the public key: enough to choose between our few keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SigningKeyId(pub [u8; 4]);

impl SigningKeyId {
    fn of(key: &VerifyingKey) -> Self {
        let digest = Sha256::digest(key.as_bytes());
        let mut id = [0; 4];
        // A SHA-256 is longer than four bytes.
        id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(id)
    }
}

impl fmt::Display for SigningKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("the key file cannot be read: {0}")]
    File(#[from] std::io::Error),
    #[error("not a key: PKCS#8 PEM, or a seed of 64 hex digits")]
    NotAKey,
}

/// A private key.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    public: PublicKey,
}

impl Signer {
    /// From 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let public = PublicKey { id: SigningKeyId::of(&key.verifying_key()), key: key.verifying_key() };
        Self { key, public }
    }

    /// From PKCS#8 PEM (`openssl genpkey -algorithm ed25519`) or a seed in hex.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let mut seed = [0; 32];
        if text.starts_with("-----BEGIN") {
            let key = SigningKey::from_pkcs8_pem(text).map_err(|_| KeyError::NotAKey)?;
            seed = key.to_bytes();
        } else {
            hex::decode_to_slice(text, &mut seed).map_err(|_| KeyError::NotAKey)?;
        }
        Ok(Self::from_seed(&seed))
    }

    /// From a file, in either form of [`Signer::from_text`].
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        Self::from_text(&std::fs::read_to_string(path)?)
    }

    /// The half to publish.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` for one use: `context` keeps a signature of one kind of thing from passing for another's.
    pub fn sign(&self, context: &str, message: &[u8]) -> [u8; SIGNATURE] {
        self.key.sign(&framed(context, message)).to_bytes()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.public.id)
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: SigningKeyId,
    key: VerifyingKey,
}

impl PublicKey {
    /// From its 32 bytes. `None` for what is not a point of the curve, or a weak one.
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())?;
        Some(Self { id: SigningKeyId::of(&key), key })
    }

    pub const fn id(&self) -> SigningKeyId {
        self.id
    }

    pub fn bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    /// Whether `signature` is this key's over `message` in `context`.
    pub fn verifies(&self, context: &str, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        // Strict: one message has one valid signature, so that a ticket cannot be rewritten into a twin.
        self.key.verify_strict(&framed(context, message), &Signature::from_bytes(signature)).is_ok()
    }

    /// Whether a signature is this key's over a message without a context: for keys that sign one kind of thing only.
    pub(crate) fn verifies_bare(&self, message: &[u8], signature: &Signature) -> bool {
        self.key.verify_strict(message, signature).is_ok()
    }

    /// As a JSON Web Key (RFC 8037), the form it is published in.
    pub fn jwk(&self) -> serde_json::Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "kid": self.id.to_string(),
            "x": URL_SAFE_NO_PAD.encode(self.bytes()),
        })
    }
}

/// `kalel:<context>:<message>`.
fn framed(context: &str, message: &[u8]) -> Vec<u8> {
    [b"kalel:", context.as_bytes(), b":", message].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl genpkey` form of the seed of RFC 8032 §7.1, test 1.
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                       -----END PRIVATE KEY-----\n";
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn a_key_is_read_in_both_forms_and_has_the_public_half_of_the_standard() {
        for text in [PEM, SEED] {
            let signer = Signer::from_text(text).unwrap();
            assert_eq!(hex::encode(signer.public().bytes()), PUBLIC);
        }
        assert!(matches!(Signer::from_text("00"), Err(KeyError::NotAKey)));
        assert!(matches!(Signer::from_text(""), Err(KeyError::NotAKey)));
    }

    #[test]
    fn a_signature_is_good_for_its_key_context_and_message_only() {
        let (signer, other) = (Signer::from_text(SEED).unwrap(), Signer::from_seed(&[7; 32]));
        let signature = signer.sign("ticket", b"message");
        assert!(signer.public().verifies("ticket", b"message", &signature));
        assert!(!signer.public().verifies("receipt", b"message", &signature));
        assert!(!signer.public().verifies("ticket", b"messag", &signature));
        assert!(!other.public().verifies("ticket", b"message", &signature));
        assert_ne!(signer.public().id(), other.public().id());
        assert_eq!(PublicKey::from_bytes(&signer.public().bytes()).as_ref(), Some(signer.public()));
    }

    #[test]
    fn a_private_key_is_not_printed() {
        assert!(!format!("{:?}", Signer::from_text(SEED).unwrap()).contains(&SEED[..8]));
    }
}
