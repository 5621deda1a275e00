//! Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint, v1): a few lines of text that say how long a log is
//! and what its root is, with Ed25519 signatures under them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::merkle::Hash;

/// The type of signature that Ed25519 is in a key and its id.
const ED25519: u8 = 0x01;
/// Begins a private key.
const PRIVATE: &str = "PRIVATE+KEY+";
/// Begins the line of a signature: an em dash and a space.
const DASH: &str = "— ";
/// A note is small: whoever sends more means harm.
const LONGEST: usize = 64 << 10;
const MOST_SIGNATURES: usize = 100;

/// How long the log was, and what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the log for ever, like a URL without its scheme.
    pub origin: String,
    /// Events.
    pub size: u64,
    pub root: Hash,
}

/// Why a note says nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    #[error("this is not a signed note")]
    Malformed,
    #[error("no signature by {0} is under it")]
    Unsigned(String),
    #[error("the signature by {0} is not over this text")]
    Forged(String),
    #[error("this is a checkpoint of {found}, not of {wanted}")]
    OtherLog { wanted: String, found: String },
    #[error("this is not a key of the form name+id+key")]
    Key,
}

/// Whose signature counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
}

/// Signs for a name.
#[derive(Clone, Debug)]
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// # Errors
    /// [`NoteError::Key`] when the name is empty or has a space or a plus in it.
    pub fn new(name: &str, key: SigningKey) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Key);
        }
        Ok(Self { name: name.to_owned(), key })
    }

    /// Reads `PRIVATE+KEY+name+id+key`, the form of Go's package note, as `kalel audit key` writes it.
    ///
    /// # Errors
    /// [`NoteError::Key`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().strip_prefix(PRIVATE).ok_or(NoteError::Key)?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let key = STANDARD.decode(key).map(Zeroizing::new).map_err(|_| NoteError::Key)?;
        let Some((&ED25519, seed)) = key.split_first() else { return Err(NoteError::Key) };
        let seed: [u8; 32] = seed.try_into().map_err(|_| NoteError::Key)?;
        let signer = Self::new(name, SigningKey::from_bytes(&seed))?;
        if hex::encode(signer.verifier().id()) == id { Ok(signer) } else { Err(NoteError::Key) }
    }

    /// The form that [`Signer::parse`] reads. Secret.
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut key = Zeroizing::new(vec![ED25519]);
        key.extend_from_slice(self.key.as_bytes());
        Zeroizing::new(format!(
            "{PRIVATE}{}+{}+{}",
            self.name,
            hex::encode(self.verifier().id()),
            STANDARD.encode(key.as_slice())
        ))
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The text with a signature under it.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.verifier().id().to_vec();
        signature.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n{DASH}{} {}\n", self.name, STANDARD.encode(signature))
    }
}

impl Verifier {
    /// Reads `name+id+key`, as it is published.
    ///
    /// # Errors
    /// [`NoteError::Key`].
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        // The key is base64 and may have a plus in it; neither name nor id has.
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let key = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let Some((&ED25519, key)) = key.split_first() else { return Err(NoteError::Key) };
        let key = key.try_into().ok().and_then(|key| VerifyingKey::from_bytes(key).ok()).ok_or(NoteError::Key)?;
        let verifier = Self { name: name.to_owned(), key };
        if is_name(name) && hex::encode(verifier.id()) == id { Ok(verifier) } else { Err(NoteError::Key) }
    }

    /// `name+id+key`, as it is published.
    pub fn to_text(&self) -> String {
        let mut key = vec![ED25519];
        key.extend_from_slice(self.key.as_bytes());
        format!("{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(key))
    }

    /// Tells keys of one name apart: the beginning of a hash.
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        let mut id = [0; 4];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }

    /// The text of a note, if this key signed it. Signatures of others are not looked at.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let fine = note.len() <= LONGEST && !note.chars().any(|c| c.is_control() && c != '\n');
        let end = note.rfind("\n\n").filter(|_| fine && note.ends_with('\n')).ok_or(NoteError::Malformed)?;
        let (text, signatures) = (note.get(..=end).unwrap_or_default(), note.get(end + 2..).unwrap_or_default());
        let lines: Vec<&str> = signatures.lines().collect();
        if lines.is_empty() || lines.len() > MOST_SIGNATURES {
            return Err(NoteError::Malformed);
        }
        let mut ours = Err(NoteError::Unsigned(self.name.clone()));
        for line in lines {
            let (name, signature) =
                line.strip_prefix(DASH).and_then(|line| line.split_once(' ')).ok_or(NoteError::Malformed)?;
            let signature = STANDARD.decode(signature).map_err(|_| NoteError::Malformed)?;
            let (id, signature) = signature.split_at_checked(4).ok_or(NoteError::Malformed)?;
            if name == self.name && id == self.id() {
                let signature = Signature::from_slice(signature).map_err(|_| NoteError::Malformed)?;
                self.key
                    .verify_strict(text.as_bytes(), &signature)
                    .map_err(|_| NoteError::Forged(self.name.clone()))?;
                ours = Ok(text);
            }
        }
        ours
    }
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// Reads a signed checkpoint of this log.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open(note: &str, origin: &str, verifier: &Verifier) -> Result<Self, NoteError> {
        let checkpoint = Self::read(note, verifier)?;
        if checkpoint.origin == origin {
            Ok(checkpoint)
        } else {
            Err(NoteError::OtherLog { wanted: origin.to_owned(), found: checkpoint.origin })
        }
    }

    /// Reads a signed checkpoint of any log. Lines after the root are for others and are not looked at.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn read(note: &str, verifier: &Verifier) -> Result<Self, NoteError> {
        let mut lines = verifier.open(note)?.lines();
        let (Some(found), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(NoteError::Malformed);
        };
        let number: u64 = size.parse().map_err(|_| NoteError::Malformed)?;
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok()).ok_or(NoteError::Malformed)?;
        // One way to write a number: no sign, no zero in front.
        if number.to_string() != size {
            return Err(NoteError::Malformed);
        }
        Ok(Self { origin: found.to_owned(), size: number, root: Hash(root) })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signer(seed: u8) -> Signer {
        Signer::new("kalel.sn/log", SigningKey::from_bytes(&[seed; 32])).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "kalel.sn/log/1".into(), size: 1_234, root: Hash::leaf(b"a line") }
    }

    /// The example of the documentation of Go's package note, whose format this is.
    #[test]
    fn a_note_signed_elsewhere_can_be_read() {
        let verifier = Verifier::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let text =
            "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let note = format!(
            "{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(verifier.open(&note), Ok(text));
        assert_eq!(verifier.to_text(), "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    }

    #[test]
    fn a_checkpoint_is_read_back_and_its_text_is_c2sp_s() {
        let (signer, checkpoint) = (signer(1), checkpoint());
        let root = STANDARD.encode(checkpoint.root.0);
        assert_eq!(checkpoint.text(), format!("kalel.sn/log/1\n1234\n{root}\n"));
        let note = signer.sign(&checkpoint.text());
        assert!(note.starts_with(&format!("kalel.sn/log/1\n1234\n{root}\n\n— kalel.sn/log ")), "{note}");
        let verifier = Verifier::parse(&signer.verifier().to_text()).unwrap();
        assert_eq!(Checkpoint::open(&note, "kalel.sn/log/1", &verifier), Ok(checkpoint.clone()));

        let extended = signer.sign(&format!("{}an extension\n", checkpoint.text()));
        assert_eq!(Checkpoint::open(&extended, "kalel.sn/log/1", &verifier), Ok(checkpoint));
    }

    #[test]
    fn another_log_another_key_and_no_signature_are_told_apart() {
        let (ours, note) = (signer(1).verifier(), signer(1).sign(&checkpoint().text()));
        let other_log = Checkpoint::open(&note, "kalel.sn/log/2", &ours);
        assert!(matches!(other_log, Err(NoteError::OtherLog { .. })), "{other_log:?}");
        let theirs = signer(2).sign(&checkpoint().text());
        assert_eq!(ours.open(&theirs), Err(NoteError::Unsigned("kalel.sn/log".into())), "same name, other key");
        // Beside ours it does no harm.
        let both = format!("{note}{}", theirs.rsplit_once("\n\n").unwrap().1);
        assert_eq!(ours.open(&both), Ok(checkpoint().text().as_str()));
        for text in ["", "\n\n", "a\n\n", "a\n\nb\n", "a\n\n— x\n", "a\n\n— x !\n", "a\n\n— x AAAA\n\n"] {
            assert_eq!(ours.open(text), Err(NoteError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn a_size_is_written_in_one_way_only() {
        let root = STANDARD.encode([0; 32]);
        for size in ["01", "+1", "-1", "1 ", "", "18446744073709551616"] {
            let note = signer(1).sign(&format!("o\n{size}\n{root}\n"));
            assert_eq!(Checkpoint::open(&note, "o", &signer(1).verifier()), Err(NoteError::Malformed), "{size:?}");
        }
    }

    #[test]
    fn names_and_keys_that_are_none_are_refused() {
        for name in ["", "a b", "a+b", "a\n"] {
            assert!(Signer::new(name, SigningKey::from_bytes(&[1; 32])).is_err(), "{name:?}");
        }
        let good = signer(1).verifier().to_text();
        assert!(Verifier::parse(&good).is_ok());
        for bad in [good.replace("kalel", "lelak"), good.replace('+', "-"), String::new(), "a+b".into()] {
            assert_eq!(Verifier::parse(&bad), Err(NoteError::Key), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_character_of_the_text_goes_unnoticed(at in any::<prop::sample::Index>(), to in "[0-9A-Za-z/+]") {
            let note = signer(1).sign(&checkpoint().text());
            let end = note.rfind("\n\n").unwrap();
            let at = at.index(end);
            let changed = format!("{}{to}{}", &note[..at], &note[at + 1..]);
            prop_assume!(changed != note);
            prop_assert!(signer(1).verifier().open(&changed).is_err());
        }
    }
}
