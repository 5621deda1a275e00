//! An order to send money that is out at a provider, and what became of it: the same for refunds and payouts to sites.

use adapters::{
    call::Outcome as Call,
    payments::{PayoutOrder, PayoutStatus, Rail},
};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    money::Money,
    payment::{ProviderId, Reference},
    phone::Phone,
    reaction::Ask,
    text::Note,
};

use super::{
    TurnError, again, at, busy,
    checkout::{alarmed, call},
};
use crate::{
    context::{Context, Guarded},
    effect::{self, Outcome, Taken},
};

/// An order that was cut off may still arrive at its provider for so long: until then the refusal of its repetition says nothing
/// about it.
const UNDERWAY: TimeDelta = TimeDelta::minutes(2);

/// What was learnt about an order.
#[derive(Clone, Debug)]
pub(super) enum News {
    Pending(ProviderId),
    Succeeded {
        provider_id: ProviderId,
        fee: Option<Money>,
    },
    /// For good.
    Failed(Note),
    /// It was paid before.
    Reversed(Note),
    /// Nobody can tell.
    Unknown(Note),
}

impl News {
    /// Tells the commands of one effect apart.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Succeeded { .. } => "succeed",
            Self::Failed(_) => "fail",
            Self::Reversed(_) => "reverse",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What an order is given for.
pub(super) trait Purpose: Sync {
    /// Whether somebody must look when the provider says another amount than was ordered. Without it, reconciliation shows it.
    const EXACT: bool;

    /// To whom, opened at the last moment. `None` when there is no number.
    fn recipient(&self) -> impl Future<Output = Result<Option<Phone>, TurnError>> + Send;

    /// Writes down what was learnt.
    fn write(&self, news: &News) -> impl Future<Output = Result<(), TurnError>> + Send;
}

/// An order that is out. What it answers with is `None` while its end is not known: those who ask (since the submission) go on.
pub(super) struct Order<'a, P> {
    pub ctx: &'a Context,
    pub taken: &'a Taken,
    pub of: &'a P,
    pub rail: &'a Guarded<Rail>,
    pub amount: Money,
    pub reference: &'a Reference,
    /// The provider's id of the movement, once it is known.
    pub provider_id: Option<&'a ProviderId>,
    /// When it was submitted.
    pub since: Timestamp,
    /// When an answer about it was lost, the last time: written in the log, or known by the mark of a call.
    pub lost_at: Option<Timestamp>,
    /// Shown to the recipient.
    pub reason: &'static str,
    /// Which question about it this is; `None` for the first try.
    pub question: Option<Ask>,
}

impl<P: Purpose> Order<'_, P> {
    /// Whether sending it again could pay it again.
    pub fn is_not_repeatable(&self) -> bool {
        !self.rail.provider.unseen_after().is_zero()
    }

    /// What is to be done before anything is said to the provider, if it is not the time.
    pub async fn not_yet(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(question) = self.question else {
            let Some(_) = self.lost_at else { return Ok(None) };
            // Somebody may have sent it, and could not say so or had no answer: those who ask find out.
            if self.provider_id.is_none() {
                self.unknown("a worker ended while it was sent").await?;
            }
            return Ok(Some(Outcome::Done));
        };
        let due = question.due_after(self.lost_at);
        Ok((self.now() < due).then(|| at(due)))
    }

    /// Calls the provider, which leaves a mark. A question's is taken back by an answer: what stays is one that was lost. A first
    /// try's stays, for it is never sent again.
    pub async fn call<T>(&self, calling: impl Future<Output = Call<T>>) -> Result<Call<T>, TurnError> {
        if !effect::about_to_call(self.ctx.store.pool(), self.taken, self.now()).await? {
            return Err(TurnError::Lost);
        }
        let answer = call(self.rail, calling).await;
        let is_lost = matches!(&answer, Call::Unknown(why) if why.may_have_happened());
        if self.question.is_some() && !is_lost {
            self.not_called().await?;
        }
        Ok(answer)
    }

    /// Sends the money; where the same order again is the same movement, that is harmless.
    pub async fn send(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(recipient) = self.of.recipient().await? else {
            return self.fail("there is no number to send it to").await;
        };
        let order = PayoutOrder {
            recipient,
            amount: self.amount,
            reference: self.reference.clone(),
            idempotency_key: self.reference.to_string(),
            reason: Some(self.reason.to_owned()),
        };
        self.became(self.call(self.rail.provider.payout(&order)).await?).await
    }

    /// One question.
    pub async fn ask(&self) -> Result<Option<Outcome>, TurnError> {
        let provider = &self.rail.provider;
        let answer = match self.provider_id {
            Some(provider_id) => self.call(provider.payout_status(provider_id)).await?,
            None => self.call(provider.payout_search(self.reference)).await?,
        };
        let never_made = || self.since + provider.unseen_after() <= self.now();
        match answer {
            // It never arrived there. Where a key makes it the same movement, the same order again; elsewhere it failed, and
            // another try is written down, guarded and asked about like the first one.
            Call::Done(PayoutStatus::NotFound) if self.provider_id.is_none() && never_made() => {
                if self.is_not_repeatable() {
                    return self.fail("it never arrived at the provider").await;
                }
                self.send().await
            }
            Call::Done(status) => self.learn(status).await,
            Call::Refused(refusal) => {
                alarmed(&refusal);
                Ok(None)
            }
            Call::RetryAfter(_) | Call::Unknown(_) => Ok(None),
        }
    }

    /// What became of it by the answer to the order itself.
    pub async fn became(&self, answer: Call<PayoutStatus>) -> Result<Option<Outcome>, TurnError> {
        match answer {
            Call::Done(status) => self.learn(status).await,
            Call::Refused(refusal) if refusal.is_about_our_account() || refusal.retryable => {
                self.not_called().await?;
                Ok(Some(again(self.ctx, self.taken, alarmed(&refusal))))
            }
            // The one before may still arrive: those who ask find out.
            Call::Refused(refusal) if self.lost_at.is_some_and(|lost_at| self.now() < lost_at + UNDERWAY) => {
                self.unknown(&refusal.to_string()).await?;
                Ok(None)
            }
            Call::Refused(refusal) => self.fail(&refusal.to_string()).await,
            Call::RetryAfter(wait) => {
                self.not_called().await?;
                Ok(Some(busy(self.ctx, self.taken, wait)))
            }
            Call::Unknown(why) if !why.may_have_happened() => {
                self.not_called().await?;
                Ok(Some(again(self.ctx, self.taken, why.to_string())))
            }
            Call::Unknown(why) => {
                self.unknown(&why.to_string()).await?;
                Ok(None)
            }
        }
    }

    async fn learn(&self, status: PayoutStatus) -> Result<Option<Outcome>, TurnError> {
        match status {
            PayoutStatus::Processing { provider_id } => {
                self.of.write(&News::Pending(provider_id)).await?;
                Ok(None)
            }
            PayoutStatus::Succeeded { amount, .. } if P::EXACT && amount != self.amount => {
                Ok(Some(Outcome::Failed(format!("the provider says {amount}"))))
            }
            PayoutStatus::Succeeded { provider_id, fee, .. } => {
                self.over(&[News::Succeeded { provider_id, fee }]).await
            }
            PayoutStatus::Failed { code, message, .. } => self.fail(&format!("{code}: {message}")).await,
            PayoutStatus::Reversed { provider_id } => {
                let paid = News::Succeeded { provider_id, fee: None };
                self.over(&[paid, News::Reversed(Note::kept_of("taken back"))]).await
            }
            PayoutStatus::NotFound => Ok(None),
            PayoutStatus::Several(all) => {
                // One key, several movements: the provider broke its word, and a person must look.
                metrics::counter!("kalel_payouts_ambiguous_total").increment(1);
                Ok(Some(Outcome::Failed(format!("{} payouts under one reference", all.len()))))
            }
        }
    }

    /// This way did not work.
    pub async fn fail(&self, why: &str) -> Result<Option<Outcome>, TurnError> {
        self.over(&[News::Failed(Note::kept_of(why))]).await
    }

    pub async fn unknown(&self, why: &str) -> Result<(), TurnError> {
        self.of.write(&News::Unknown(Note::kept_of(why))).await
    }

    async fn over(&self, news: &[News]) -> Result<Option<Outcome>, TurnError> {
        for one in news {
            self.of.write(one).await?;
        }
        Ok(Some(Outcome::Done))
    }

    fn now(&self) -> Timestamp {
        self.ctx.store.clock().now()
    }

    /// It is certain that nothing went: whoever comes next may call.
    async fn not_called(&self) -> Result<(), TurnError> {
        Ok(effect::not_called(self.ctx.store.pool(), self.taken).await?)
    }
}
