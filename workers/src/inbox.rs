//! Dealing with webhooks: each is a hint. The payment is found, the provider is asked, and only its answer moves money
//! (providers.md §0 rule 3). Each message ends in exactly one disposition; duplicates and any order are harmless.

use adapters::{
    call::Outcome as Call,
    payments::{ProviderStatus, Rail, origin, reference_id, webhook},
};
use chrono::TimeDelta;
use domain::{
    aggregate::Loaded,
    ids::PaymentId,
    payment::{Payment, Requested, Row},
    refund,
    text::Slug,
};
use eventstore::{
    failpoint,
    inbox::{self, Disposition, Taken},
};

use crate::{
    act::{Learned, Report, TurnError, account, asked, call, learn, observe, rail},
    context::{Context, Guarded},
    process,
    runtime::{Progress, Step, StepError},
};

/// Genuine messages about nothing that we know are tried again for this long (a message can overtake our own commit).
const PARKED_FOR: TimeDelta = TimeDelta::hours(72);
/// How often a provider is asked that knows nothing yet of what its own message tells.
const ASKED: u32 = 5;
const FIRST_RETRY_S: i64 = 5;
/// A provider that was away is asked again within a quarter of an hour of its return.
const LAST_RETRY_S: i64 = 600;

/// One worker of the inbox; a process has several.
#[derive(Debug)]
pub struct Reader {
    ctx: Context,
}

/// How a turn with a message ended.
enum Verdict {
    End(Disposition, Option<String>),
    /// Nobody knows it (yet).
    Park(String),
    /// The provider could not be asked.
    Later(String),
}

impl Reader {
    pub const fn new(ctx: Context) -> Self {
        Self { ctx }
    }

    async fn read(&self, taken: &Taken) -> Result<Verdict, TurnError> {
        let Some(body) = &taken.body else {
            return Ok(Verdict::End(Disposition::Refused, Some("cannot be opened with these keys".into())));
        };
        let event = match origin::read(&taken.provider, body) {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Ok(Verdict::End(Disposition::Parked, Some(error.to_string()))),
            None => {
                let why = format!("no reader for {}", taken.provider);
                return Ok(Verdict::End(Disposition::Parked, Some(why)));
            }
        };
        match event.kind {
            webhook::Kind::Test => Ok(Verdict::End(Disposition::Stale, Some("the portal's test".into()))),
            webhook::Kind::Payout(_) => Ok(Verdict::End(Disposition::Stale, Some("payouts are asked about".into()))),
            webhook::Kind::Other(kind) => Ok(Verdict::End(Disposition::Stale, Some(format!("{kind} is not used")))),
            webhook::Kind::CheckoutCompleted(hint) => self.checkout(taken, &hint, true).await,
            webhook::Kind::CheckoutFailed(hint) => self.checkout(taken, &hint, false).await,
            webhook::Kind::Refunded(hint) => self.refunded(taken, &hint).await,
        }
    }

    /// Finds the payment by our reference, or by the provider's id where the message has nothing else.
    async fn find(&self, hint: &webhook::Hint) -> Result<Option<Loaded<Payment>>, TurnError> {
        let by_reference = hint.reference.as_deref().and_then(reference_id).map(PaymentId::new);
        let id = match (by_reference, &hint.provider_id, &hint.page) {
            (Some(id), ..) => Some(id),
            (None, Some(provider_id), _) => process::by_provider_id(self.ctx.store.pool(), provider_id).await?,
            (None, None, Some(page)) => inbox::payment_of_page(&self.ctx.store, page).await?.map(PaymentId::new),
            (None, None, None) => None,
        };
        let Some(id) = id else { return Ok(None) };
        match self.ctx.store.load::<Payment>(id).await {
            Ok(payment) => Ok(payment.state.request.is_some().then_some(payment)),
            // Somebody's id, but not a payment's.
            Err(eventstore::LoadError::OtherNoun { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The provider of a payment, if the message is one of its account there.
    async fn rail_of<'a>(
        &'a self,
        taken: &Taken,
        request: &Requested,
    ) -> Result<Result<&'a Guarded<Rail>, Verdict>, TurnError> {
        // What proves itself with the secrets of one account tells nothing about another's money.
        let account = account(&self.ctx, request.reservation_id).await?;
        if account.as_ref().map_or("", Slug::as_str) != taken.account {
            return Ok(Err(refused("the payment is not one of this merchant account")));
        }
        Ok(match rail(&self.ctx, request).await? {
            Ok(rail) if rail.provider.name() == taken.provider => Ok(rail),
            Ok(_) => Err(refused("the payment is not one of this provider")),
            Err(why) => Err(Verdict::Later(why)),
        })
    }

    /// A payment went back. What we asked for is asked about by whoever sent it; the rest is written down.
    async fn refunded(&self, taken: &Taken, hint: &webhook::Hint) -> Result<Verdict, TurnError> {
        let Some(payment) = self.find(hint).await? else {
            return Ok(Verdict::Park("about no payment that is known".into()));
        };
        let Some(request) = &payment.state.request else { return Ok(Verdict::Park("not asked for".into())) };
        let rail = match self.rail_of(taken, request).await? {
            Ok(rail) => rail,
            Err(verdict) => return Ok(verdict),
        };
        let Some(provider_id) = payment.state.provider_id() else {
            return Ok(Verdict::Later("nothing was paid in it yet".into()));
        };
        match answered(call(rail, rail.provider.is_given_back(provider_id)).await) {
            Ok(true) => {}
            Ok(false) if taken.attempts < ASKED => {
                return Ok(Verdict::Later("the provider says that it has not gone back".into()));
            }
            Ok(false) => return Ok(refused("the provider says that it has not gone back")),
            Err(verdict) => return Ok(verdict),
        }
        Ok(match observe::given_back(&self.ctx, &Report::of_webhook(taken.id), payment.id).await? {
            Ok(true) => Verdict::End(Disposition::Applied, Some("given back without us".into())),
            Ok(false) => Verdict::End(Disposition::Duplicate, None),
            Err(refund::Refusal::MayBeOurs { .. }) => {
                Verdict::End(Disposition::Stale, Some("ours is asked about".into()))
            }
            // It may overtake the news that it was paid.
            Err(refund::Refusal::NotReceived { .. }) => Verdict::Later("nothing was received yet".into()),
            Err(refusal) => refused(&refusal.to_string()),
        })
    }

    async fn checkout(&self, taken: &Taken, hint: &webhook::Hint, paid: bool) -> Result<Verdict, TurnError> {
        let Some(payment) = self.find(hint).await? else {
            return Ok(Verdict::Park("about no payment that is known".into()));
        };
        let Some(request) = &payment.state.request else { return Ok(Verdict::Park("not asked for".into())) };
        if let Some(transaction) = &hint.transaction_id
            && payment.state.capture(transaction).is_some()
        {
            return Ok(Verdict::End(Disposition::Duplicate, None));
        }
        let rail = match self.rail_of(taken, request).await? {
            Ok(rail) => rail,
            Err(verdict) => return Ok(verdict),
        };
        let known = hint.page.as_ref().and_then(|_| payment.state.provider_id());
        let answer = match hint.provider_id.as_ref().or(known) {
            Some(provider_id) => call(rail, rail.provider.status(asked(request, provider_id))).await,
            None => call(rail, rail.provider.search(&request.reference)).await,
        };
        let status = match answered(answer) {
            Ok(status) => status,
            Err(verdict) => return Ok(verdict),
        };
        if let (ProviderStatus::Succeeded(receipt), Some(amount)) = (&status, hint.amount)
            && receipt.amount != amount
        {
            return Ok(refused(&format!("it says {amount}, the provider says {}", receipt.amount)));
        }
        if matches!(status, ProviderStatus::Pending { .. } | ProviderStatus::Unpaid | ProviderStatus::UnderWay) {
            return Ok(still_open(taken, paid));
        }
        let report = Report::of_webhook(taken.id);
        if let Some(why) = not_shown(hint, &status) {
            // Money that is told of and not shown: nobody else would ever look for it.
            learn(&self.ctx, &report, payment.id, status).await?;
            return Ok(if taken.attempts < ASKED { Verdict::Later(why) } else { refused(&why) });
        }
        Ok(match learn(&self.ctx, &report, payment.id, status).await? {
            Learned::Settled(Row::Known) => Verdict::End(Disposition::Duplicate, None),
            Learned::Settled(row) => Verdict::End(Disposition::Applied, Some(format!("{row:?}"))),
            Learned::Ended { news: true } => Verdict::End(Disposition::Applied, Some("ended unpaid".into())),
            Learned::Ended { news: false } | Learned::Open => Verdict::End(Disposition::Stale, None),
            Learned::Nothing => refused("the provider knows nothing of it"),
            Learned::Contradiction(why) => refused(&why),
        })
    }
}

/// What could not be asked is asked later.
fn answered<T>(answer: Call<T>) -> Result<T, Verdict> {
    match answer {
        Call::Done(done) => Ok(done),
        Call::Refused(refusal) => Err(Verdict::Later(refusal.to_string())),
        Call::RetryAfter(_) => Err(Verdict::Later("asked to come later".into())),
        Call::Unknown(why) => Err(Verdict::Later(why.to_string())),
    }
}

/// Whether a message tells of another transaction than the one that the provider shows.
fn not_shown(hint: &webhook::Hint, status: &ProviderStatus) -> Option<String> {
    let (ProviderStatus::Succeeded(receipt), Some(told)) = (status, &hint.transaction_id) else { return None };
    let other = receipt.transaction_id != *told;
    other.then(|| format!("it speaks of {told}, the provider shows {}", receipt.transaction_id))
}

fn refused(why: &str) -> Verdict {
    Verdict::End(Disposition::Refused, Some(why.to_owned()))
}

/// The provider says that the checkout is still open. A failed attempt is no more than that; a success that the provider
/// does not (yet) know of is asked about a few times.
fn still_open(taken: &Taken, paid: bool) -> Verdict {
    if !paid {
        return Verdict::End(Disposition::Stale, Some("an attempt failed, the checkout is still open".into()));
    }
    if taken.attempts < ASKED {
        return Verdict::Later("the provider says that it is not paid".into());
    }
    refused("the provider says that it is not paid")
}

impl Step for Reader {
    fn name(&self) -> String {
        "inbox".to_owned()
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let store = &self.ctx.store;
        let Some(taken) = inbox::take(store, self.ctx.config.lease).await? else { return Ok(Progress::Idle) };
        let verdict = match self.read(&taken).await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::warn!(webhook = %taken.id, error = &error as &dyn std::error::Error, "a webhook waits");
                Verdict::Later(error.to_string())
            }
        };
        let now = store.clock().now();
        let wait = FIRST_RETRY_S.saturating_mul(1 << taken.attempts.min(10)).min(LAST_RETRY_S);
        let due_at = now + TimeDelta::seconds(wait);
        match verdict {
            Verdict::End(disposition, note) => {
                metrics::counter!("kalel_webhooks_total", "disposition" => disposition.as_str()).increment(1);
                if disposition == Disposition::Refused {
                    tracing::error!(webhook = %taken.id, note, "a genuine webhook was refused");
                }
                failpoint("inbox.before_conclude");
                inbox::conclude(store, &taken, disposition, note.as_deref()).await?;
            }
            Verdict::Park(why) if now - taken.received_at > PARKED_FOR => {
                metrics::counter!("kalel_webhooks_total", "disposition" => "parked").increment(1);
                inbox::conclude(store, &taken, Disposition::Parked, Some(&why)).await?;
            }
            Verdict::Park(why) => {
                inbox::later(store, &taken, due_at, true, &why).await?;
            }
            Verdict::Later(why) => {
                inbox::later(store, &taken, due_at, false, &why).await?;
            }
        }
        Ok(Progress::Busy)
    }
}
