//! PayTech's JSON, read with tolerance where it is not documented; what matters must be there and must not contradict
//! itself.

use domain::{
    money::{Currency, Money},
    payment::ProviderId,
};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::{
    call::{self, Outcome, Refusal, Unknown},
    payments::{Opened, ProviderStatus, Receipt},
};

/// Our code for a `ref_command` that PayTech knows already.
pub(super) const REFERENCE_USED: &str = "reference-used";
/// As some integrations find it spelt.
const ADDRESS: [&str; 2] = ["redirect_url", "redirectUrl"];

pub(super) fn object(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

/// The field `success`: 1, 0 or -1, as a number, a text or a truth.
pub(super) fn success(body: &Value) -> Option<i64> {
    match body.get("success")? {
        Value::Bool(yes) => Some((*yes).into()),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    }
}

/// What a body says in words: a text, or a list of them, under one of the names seen.
pub(super) fn message(body: &Value) -> String {
    let words = |name: &&str| match body.get(*name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(list) if !list.is_empty() => {
            let each = list.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
            Some(each.collect::<Vec<_>>().join("; "))
        }
        _ => None,
    };
    ["message", "error", "errors"].iter().find_map(words).unwrap_or_else(|| "no reason given".to_owned())
}

/// A no inside a 200: `paytech-0` or `paytech--1`, unless its words say more.
pub(super) fn refusal(success: i64, body: &Value) -> Refusal {
    let message = message(body);
    let words = plain(&message);
    let has = |any: &[&str]| any.iter().any(|word| words.contains(word));
    let used = words.contains("ref_command") && has(&["existe", "exists", "deja", "already", "utilise", "used"]);
    let ours = has(&["vendeur", "marchand", "cle api", "api key", "api_key", "api_secret"]);
    let code = if used { REFERENCE_USED.to_owned() } else { format!("paytech-{success}") };
    // 401 in words: the payments are not to blame, and must wait until somebody has looked.
    Refusal::said(Some(if ours { 401 } else { 200 }), &code, &message)
}

/// Whether a refusal of a refund says that the money has gone back before. PayTech's words are not documented: anything
/// that only comes near is [`is_under_way`].
pub(super) fn is_given_back(message: &str) -> bool {
    let words = plain(message);
    let said = ["deja rembourse", "deja ete rembourse", "already refunded", "already been refunded"];
    said.iter().any(|said| words.contains(said)) && !is_denied(&words)
}

/// Whether a refusal of a refund hints at one that was asked for before: then it is not refused.
pub(super) fn is_under_way(message: &str) -> bool {
    let words = plain(message);
    let hints = ["deja", "already", "en cours", "en attente", "en traitement", "in progress", "pending", "processing"];
    hints.iter().any(|hint| words.contains(hint))
}

/// "n'a pas déjà été remboursé", "not already refunded": the same words for the contrary.
fn is_denied(words: &str) -> bool {
    let mut each = words.split(|c: char| !c.is_ascii_alphanumeric());
    // `t` is what is left of "hasn't".
    each.any(|word| ["pas", "non", "jamais", "not", "never", "t"].contains(&word))
}

/// Small letters without accents, so that `DÉJÀ` is `deja`.
fn plain(text: &str) -> String {
    text.nfd().filter(char::is_ascii).collect::<String>().to_ascii_lowercase()
}

/// The page that was opened.
pub(super) fn opened(body: &Value) -> Option<Opened> {
    let text = |name: &str| body.get(name)?.as_str();
    let launch_url = ADDRESS.iter().find_map(|name| text(name)).filter(|url| call::base_url(url).is_ok())?;
    Some(Opened {
        provider_id: ProviderId::new(text("token")?).ok()?,
        launch_url: launch_url.to_owned(),
        // It is told by nobody, and observed by nobody.
        expires_at: None,
    })
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Undecided: nobody paid yet.
    Open,
    Paid,
    Failed,
    Expired,
    /// A refund was accepted.
    GivingBack,
    GivenBack,
}

impl State {
    /// PayTech's words: those of the IPN, and their plain forms. A bare `success` is not among them: it is what an answer
    /// says about itself.
    fn read(word: &str) -> Option<Self> {
        Some(match plain(word.trim()).as_str() {
            "pending" | "sale_pending" | "processing" | "waiting" | "created" | "initiated" | "open" => Self::Open,
            "sale_complete" | "complete" | "completed" | "paid" => Self::Paid,
            "sale_canceled" | "sale_cancelled" | "canceled" | "cancelled" | "failed" => Self::Failed,
            "expired" => Self::Expired,
            "refund_pending" | "refunding" => Self::GivingBack,
            "refund_complete" | "refunded" => Self::GivenBack,
            _ => return None,
        })
    }
}

/// An answer of `get-status`, as much of it as we use.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub state: State,
    pub token: Option<String>,
    pub reference: Option<String>,
    pub env: Option<String>,
    /// What the payer paid; `Err` when that cannot be read.
    amount: Option<Result<Money, ()>>,
}

impl Payment {
    /// The fields are those of the IPN, at the top or inside `payment`; then what stands outside is about the answer.
    pub(super) fn read(body: &Value) -> Result<Self, String> {
        let inner = ["payment", "data", "transaction"].iter().find_map(|name| body.get(*name));
        let fields = inner.filter(|inner| inner.is_object()).unwrap_or(body);
        let text = |name: &str| text(fields, name);
        let first = |names: &[&str]| names.iter().find_map(|name| text(name));
        let names = ["state", "status", "payment_status", "payment_state", "type_event"];
        let mut states = names.iter().filter_map(|name| text(name)).map(|word| (State::read(&word), word));
        let (Some(state), _) = states.next().ok_or("no status")? else { return Err("a status nobody knows".into()) };
        if let Some((_, word)) = states.find(|(other, _)| *other != Some(state)) {
            return Err(format!("{state:?} and {word:?} at once"));
        }
        Ok(Self {
            state,
            token: first(&["token", "token_payment"]),
            reference: first(&["ref_command", "reference"]),
            env: text("env"),
            amount: paid(text),
        })
    }

    /// The mapping of providers.md §3.1. A success must say how much and for what.
    pub(super) fn status(self, provider_id: &ProviderId) -> Outcome<ProviderStatus> {
        let provider_id = provider_id.clone();
        match self.state {
            State::Open => Outcome::Done(ProviderStatus::Unpaid),
            State::Failed => Outcome::Done(ProviderStatus::Failed { provider_id, code: "sale_canceled".to_owned() }),
            State::Expired => Outcome::Done(ProviderStatus::Expired { provider_id }),
            State::Paid => match (self.amount, self.reference) {
                (Some(Ok(amount)), Some(reference)) => Outcome::Done(ProviderStatus::Succeeded(Receipt {
                    // A page is paid once. Another id that some answers had and others had not would make two
                    // transactions of one, and the second one would be given back.
                    transaction_id: provider_id.clone(),
                    provider_id,
                    amount,
                    reference: Some(reference),
                    // `client_phone` may be what somebody typed on the page: it proves nobody's number.
                    payer: None,
                    at: None,
                })),
                _ => Unknown::unreadable("a success without amount or reference"),
            },
            // It was paid, but the money is no longer there to be taken for a booking.
            State::GivingBack | State::GivenBack => Unknown::unreadable("paid and given back"),
        }
    }
}

/// A field as text; empty is absent, as in a form.
fn text(fields: &Value, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What was paid: after promotions if there were any. `None` when nothing is said, `Err` when it cannot be read.
pub(super) fn paid(text: impl Fn(&str) -> Option<String>) -> Option<Result<Money, ()>> {
    let amount = text("final_item_price").or_else(|| text("item_price"))?;
    // The documented default, where it is left out.
    let francs = text("currency").is_none_or(|currency| currency == Currency::Xof.code());
    Some(francs.then(|| money(&amount)).flatten().ok_or(()))
}

/// Whole francs: `1000` or `1000.00`. Anything else is none, and so is nothing at all.
fn money(text: &str) -> Option<Money> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.bytes().any(|byte| byte != b'0') {
        return None;
    }
    Money::xof(whole.parse().ok()?).bounded().ok().filter(|amount| amount.is_positive())
}

#[cfg(test)]
mod tests;
