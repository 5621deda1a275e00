//! Money out, in PayDunya's three steps, at most once.
//!
//! `get-invoice` makes a token and moves nothing, so whatever becomes of it, trying again is harmless. `submit-invoice`
//! sends the money. Nothing is documented that makes a second submission of another token harmless: that a `disburse_id`
//! is taken only once is what integrators report. Therefore
//!
//! - a submission is sent once per call and never by a question;
//! - when its answer is lost or says nothing, the token is asked about at once, and when that says nothing either, the
//!   answer is `Processing` under the token: whoever keeps it asks about it and does not submit again;
//! - a token that was made and, as far as PayDunya tells, not submitted, is `Processing` too once its submission may be
//!   under way: a person ends it who has looked at PayDunya's books;
//! - a `disburse_id` that PayDunya says it knows already is unknown, not refused: an earlier call has sent the money, and
//!   its token died with it.
//!
//! What remains is a crash between the submission and the moment its token is written down. Then the same order comes
//! again, and only the `disburse_id` keeps it from being paid twice.

use domain::{
    money::Money,
    payment::{ProviderId, Reference},
    phone::Phone,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{PayDunya, PayoutOrder, PayoutStatus, bad_id, francs, is_plain, sorted, wire::Reply};
use crate::call::{self, Outcome, Refusal, Unknown};

/// How a submission ended, as far as its own answer tells.
enum Submitted {
    Known(PayoutStatus),
    /// They looked at it and said no.
    Refused(Refusal),
    /// It cannot have come in.
    NotSent(Outcome<PayoutStatus>),
    /// An earlier submission had the same `disburse_id`.
    Before,
    Unclear,
}

impl PayDunya {
    /// Whether money can be sent: with real money, and not to a card.
    pub const fn pays_out(&self) -> bool {
        !self.sandbox && self.channel.withdraw_mode().is_some()
    }

    /// See [`crate::payments::Rail::payout`], and the head of this file. The reference goes as `disburse_id`; the
    /// idempotency key has no place to go to.
    pub async fn payout(&self, order: &PayoutOrder) -> Outcome<PayoutStatus> {
        let token = match self.disburse_token(order).await {
            Outcome::Done(token) => token,
            Outcome::Refused(refusal) => return Outcome::Refused(refusal),
            Outcome::RetryAfter(wait) => return Outcome::RetryAfter(wait),
            Outcome::Unknown(why) => return Outcome::Unknown(why),
        };
        match self.submit(&token, order).await {
            Submitted::Known(status) => Outcome::Done(status),
            Submitted::Refused(refusal) => self.refused(&token, order.amount, refusal).await,
            Submitted::NotSent(outcome) => outcome,
            Submitted::Before => Unknown::unreadable("submitted before, under a token that is not known"),
            Submitted::Unclear => {
                let status = self.told(&token, Some(order.amount)).await;
                Outcome::Done(status.unwrap_or(PayoutStatus::Processing { provider_id: token }))
            }
        }
    }

    /// See [`crate::payments::Rail::payout_status`]. A token that is not submitted is `Processing`, for asking submits
    /// nothing.
    pub async fn payout_status(&self, id: &ProviderId) -> Outcome<PayoutStatus> {
        if !is_plain(id.as_str()) {
            return bad_id();
        }
        sorted(call::send(self.check(id)).await).then(|reply| match reply.payout(id, None) {
            Ok(Some(status)) => Outcome::Done(status),
            Ok(None) => Outcome::Done(PayoutStatus::Processing { provider_id: id.clone() }),
            Err(why) => Unknown::unreadable(why),
        })
    }

    /// See [`crate::payments::Rail::payout_search`]. PayDunya finds nothing by our reference, and here that must not look
    /// like `NotFound`, upon which the order would be sent again.
    pub async fn payout_search(&self, _: &Reference) -> Outcome<PayoutStatus> {
        Refusal::local("not-offered", "PayDunya finds payouts by their token only: look at its books")
    }

    /// The first step. Whatever goes wrong in it, nothing has moved: the same order may come again.
    async fn disburse_token(&self, order: &PayoutOrder) -> Outcome<ProviderId> {
        let amount = match francs(order.amount) {
            Ok(amount) => amount,
            Err(refused) => return refused,
        };
        if self.sandbox {
            return Refusal::local("not-offered", "there is no sandbox for payouts: this would be real money");
        }
        let Some(withdraw_mode) = self.channel.withdraw_mode() else {
            return Refusal::local("not-offered", "PayDunya sends no money to cards");
        };
        let Some(account_alias) = alias(&order.recipient) else {
            return Refusal::local("recipient", "must be a Senegalese number");
        };
        let request = self.post(
            "get-invoice",
            &json!({
                "account_alias": account_alias,
                "amount": amount,
                "withdraw_mode": withdraw_mode,
                "callback_url": self.callback_url.as_str(),
            }),
        );
        let harmless = |why: &Unknown| {
            let (code, message) = ("no-token".to_owned(), format!("nothing was submitted: {why}"));
            Outcome::Refused(Refusal { http: None, code, message, retryable: true })
        };
        let made = sorted(call::send(request).await)
            .then(|reply| reply.disburse_token().map_or_else(|| Unknown::unreadable("no token"), Outcome::Done));
        match made {
            Outcome::Unknown(why) if why.may_have_happened() => harmless(&why),
            other => other,
        }
    }

    /// The second step.
    async fn submit(&self, token: &ProviderId, order: &PayoutOrder) -> Submitted {
        let body = json!({ "disburse_invoice": token.as_str(), "disburse_id": order.reference.as_str() });
        let sent = call::send(self.post("submit-invoice", &body)).await;
        // In whatever status that is said.
        if let Ok(answer) = &sent
            && Reply::read(&answer.body).is_some_and(|reply| reply.is_duplicate())
        {
            return Submitted::Before;
        }
        match sorted(sent) {
            Outcome::Done(reply) => match reply.payout(token, Some(order.amount)) {
                Ok(Some(status)) => Submitted::Known(status),
                Ok(None) | Err(_) => Submitted::Unclear,
            },
            Outcome::Refused(refusal) => Submitted::Refused(refusal),
            Outcome::RetryAfter(wait) => Submitted::NotSent(Outcome::RetryAfter(wait)),
            Outcome::Unknown(why) if !why.may_have_happened() => Submitted::NotSent(Outcome::Unknown(why)),
            Outcome::Unknown(_) => Submitted::Unclear,
        }
    }

    /// After a refusal, the token's own status has the last word: `created` confirms it, anything further on contradicts
    /// it and counts. When that cannot be asked, only a refusal that is about the order stands: their own trouble may have
    /// begun after the money had left.
    async fn refused(&self, token: &ProviderId, amount: Money, refusal: Refusal) -> Outcome<PayoutStatus> {
        match sorted(call::send(self.check(token)).await).map(|reply| reply.payout(token, Some(amount))) {
            Outcome::Done(Ok(Some(status))) => Outcome::Done(status),
            Outcome::Done(Ok(None)) => Outcome::Refused(refusal),
            _ if refusal.code.starts_with("paydunya-") && !refusal.retryable => Outcome::Refused(refusal),
            _ => Outcome::Done(PayoutStatus::Processing { provider_id: token.clone() }),
        }
    }

    /// What the third step says, if it says anything about a submission.
    async fn told(&self, token: &ProviderId, amount: Option<Money>) -> Option<PayoutStatus> {
        match sorted(call::send(self.check(token)).await) {
            Outcome::Done(reply) => reply.payout(token, amount).ok().flatten(),
            _ => None,
        }
    }

    fn check(&self, token: &ProviderId) -> RequestBuilder {
        self.post("check-status", &json!({ "disburse_invoice": token.as_str() }))
    }

    fn post(&self, call: &str, body: &Value) -> RequestBuilder {
        self.client.post(self.at(&["api", "v2", "disburse", call])).json(body)
    }
}

/// The nine digits of a Senegalese number.
fn alias(phone: &Phone) -> Option<&str> {
    phone.e164().strip_prefix("+221").filter(|digits| digits.len() == 9)
}
