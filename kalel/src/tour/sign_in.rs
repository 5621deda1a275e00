//! Whoever booked signs in with her telephone.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    Booked,
    guide::{Guide, Off, wrong},
};

const PIN: &str = "739164";
/// The role by which the guide knows her.
const HER: &str = "fatou";

/// A telephone: its number, and the key pair that never leaves it.
struct Telephone<'a> {
    number: &'a str,
    key: SigningKey,
}

impl Telephone<'_> {
    fn device_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()).to_bytes())
    }

    /// Asks for a code, reads it in the SMS, and gives it back. Answers the challenge, the signature, and what comes next.
    async fn prove(&self, guide: &mut Guide) -> Result<(String, String, String), Off> {
        let body = json!({ "phone": self.number, "device_key": self.device_key() });
        let asked = guide.call("anybody", Method::POST, "/v1/challenges", Some(body), StatusCode::ACCEPTED).await?;
        let (challenge, signature) = (asked.text("/id")?, self.sign(&asked.text("/sign")?));
        let text = guide.message(self.number, "Kalel: code").await?;
        let code = text.split(|c: char| !c.is_ascii_digit()).find(|part| part.len() == 6);
        let code = code.ok_or_else(|| wrong(format!("no code in {text:?}")))?;
        let path = format!("/v1/challenges/{challenge}/proof");
        let body = json!({ "code": code, "signature": signature });
        let proven = guide.call("anybody", Method::POST, &path, Some(body), StatusCode::OK).await?;
        let next = proven.text("/next")?;
        guide.show("next", &next);
        Ok((challenge, signature, next))
    }
}

/// Code and PIN, then the device and the PIN.
pub(super) async fn with_a_telephone(guide: &mut Guide, booked: &Booked) -> Result<(), Off> {
    guide.chapter("Sign in with a telephone");
    let hers = Telephone { number: &booked.phone, key: key(&booked.id, 1) };
    let (challenge, signature, next) = hers.prove(guide).await?;
    if next != "choose_pin" {
        return Err(wrong(format!("somebody who booked chooses a PIN, and is not told {next:?}")));
    }
    let body = json!({ "challenge_id": challenge, "signature": signature, "pin": PIN, "device_name": "Tecno" });
    let opened = guide.call("anybody", Method::POST, "/v1/sessions", Some(body), StatusCode::CREATED).await?;
    guide.meet(HER, opened.text("/access_token")?);
    let listed = guide.call(HER, Method::GET, "/v1/reservations", None, StatusCode::OK).await?;
    let found = listed.body["data"].as_array().into_iter().flatten().any(|one| one["id"] == booked.id.as_str());
    if !found {
        return Err(wrong("she does not find what was booked for her"));
    }
    guide.holds("she finds the reservation that was made for her number");
    let path = format!("/v1/devices/{}/challenges", opened.text("/device_id")?);
    let asked = guide.call("anybody", Method::POST, &path, None, StatusCode::CREATED).await?;
    let (again, signature) = (asked.text("/id")?, hers.sign(&asked.text("/sign")?));
    let body = json!({ "challenge_id": again, "signature": signature, "pin": PIN });
    guide.call("anybody", Method::POST, "/v1/sessions", Some(body), StatusCode::CREATED).await?;
    guide.holds("the second time her telephone and the PIN are enough: no SMS");
    let wrong_pin = json!({ "challenge_id": again, "signature": signature, "pin": "804957" });
    guide.call("anybody", Method::POST, "/v1/sessions", Some(wrong_pin), StatusCode::GONE).await?;
    guide.holds("a challenge opens one session");
    guide.call(HER, Method::DELETE, "/v1/sessions", None, StatusCode::NO_CONTENT).await?;
    guide.events().await
}

/// The same in each run on the same reservation; no secret of anybody.
fn key(of: &str, number: u8) -> SigningKey {
    let mut seed = [number; 32];
    seed.iter_mut().zip(of.bytes()).for_each(|(to, from)| *to ^= from);
    SigningKey::from_bytes(&seed)
}
