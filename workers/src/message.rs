//! Telling people. The words, and the number or address, are put together at the moment of sending and kept nowhere.

mod change;
mod code;
mod compose;
mod finance;
mod invitation;
mod scene;

use adapters::{
    call::{Outcome as Call, Unknown},
    email::Mail,
    sms,
};
use chrono::TimeDelta;
use domain::reaction::Whom;
use eventstore::failpoint;

pub(crate) use code::send_code;
use compose::{Composed, compose};
pub(crate) use invitation::invite;

use crate::{
    act::{TurnError, again, busy},
    context::Context,
    effect::{self, Letter, Outcome, Taken},
};

/// A text that could not be sent for this long is not news any more.
const STALE: TimeDelta = TimeDelta::hours(12);

/// Sends one text message, at most once: it is marked before the call, and whoever finds the mark gives up.
pub(crate) async fn send_sms(ctx: &Context, taken: &Taken, letter: Letter) -> Result<Outcome, TurnError> {
    if taken.called_at.is_some() {
        return Ok(Outcome::Unknown("whoever sent it could not say whether it went".into()));
    }
    if ctx.store.clock().now() - taken.due_at.max(taken.created_at) > STALE {
        return Ok(Outcome::Dropped("too late to be news".into()));
    }
    let Some(Composed { phone, text, .. }) = compose(ctx, letter).await? else {
        return Ok(Outcome::Dropped("overtaken by events".into()));
    };
    let Some(to) = phone else { return Ok(Outcome::Dropped("no number".into())) };
    text_once(ctx, taken, async || Ok(Some(sms::Message { to, text }))).await
}

/// Sends what `words` makes, when the gateway can be called; made at the last moment, and marked before the call. `None`:
/// there is nothing to say any more.
async fn text_once(
    ctx: &Context,
    taken: &Taken,
    words: impl AsyncFnOnce() -> Result<Option<sms::Message>, TurnError>,
) -> Result<Outcome, TurnError> {
    let Some(gateway) = &ctx.providers.sms else { return Ok(again(ctx, taken, "no SMS gateway is configured")) };
    let pass = match gateway.breaker.enter().await {
        Ok(pass) => pass,
        Err(open) => return Ok(busy(ctx, taken, Some(open.retry_after))),
    };
    let Some(message) = words().await? else { return Ok(Outcome::Dropped("overtaken by events".into())) };
    if !effect::about_to_call(ctx.store.pool(), taken, ctx.store.clock().now()).await? {
        return Err(TurnError::Lost);
    }
    let answer = gateway.provider.send(&message).await;
    failpoint("message.sms_sent");
    match &answer {
        Call::Unknown(why) => pass.failed(why.class()),
        Call::Done(_) | Call::Refused(_) | Call::RetryAfter(_) => pass.answered(),
    }
    match answer {
        Call::Done(_) => Ok(Outcome::Done),
        Call::Unknown(why) if why.may_have_happened() => Ok(Outcome::Unknown(why.to_string())),
        certainly_not => not_sent(ctx, taken, certainly_not).await,
    }
}

/// Sends one mail. A repetition carries the same `Message-ID`; still, what may have gone is not sent again.
pub(crate) async fn send_email(ctx: &Context, taken: &Taken, letter: Letter) -> Result<Outcome, TurnError> {
    if taken.called_at.is_some() {
        return Ok(Outcome::Unknown("whoever sent it could not say whether it went".into()));
    }
    let (to, subject, text) = match letter.whom {
        Whom::Finance => {
            let (subject, text) = finance::letter(ctx, letter.notice).await?;
            tracing::warn!(subject, "money needs somebody");
            metrics::counter!("kalel_finance_alerts_total").increment(1);
            (ctx.config.finance_email.clone(), subject, text)
        }
        Whom::Client(_) | Whom::ManagerOf(_) => match compose(ctx, letter).await? {
            Some(composed) => (composed.email, composed.subject, composed.text),
            None => return Ok(Outcome::Dropped("overtaken by events".into())),
        },
    };
    let Some(to) = to else { return Ok(Outcome::Dropped("no address".into())) };
    mail_once(ctx, taken, async || Ok(Some(Words { to, subject, text }))).await
}

/// What a mail says, and to whom.
struct Words {
    to: String,
    subject: String,
    text: String,
}

/// Sends what `words` makes, as [`text_once`] does by SMS.
async fn mail_once(
    ctx: &Context,
    taken: &Taken,
    words: impl AsyncFnOnce() -> Result<Option<Words>, TurnError>,
) -> Result<Outcome, TurnError> {
    let Some(relay) = &ctx.providers.email else { return Ok(Outcome::Dropped("no mail relay is configured".into())) };
    let pass = match relay.breaker.enter().await {
        Ok(pass) => pass,
        Err(open) => return Ok(busy(ctx, taken, Some(open.retry_after))),
    };
    let Some(Words { to, subject, text }) = words().await? else {
        return Ok(Outcome::Dropped("overtaken by events".into()));
    };
    let message_id = format!("<{}@{}>", taken.key.replace(':', "."), ctx.config.mail_domain);
    let mail = Mail { to, subject, text, message_id, attachments: Vec::new() };
    let now = ctx.store.clock().now();
    if !effect::about_to_call(ctx.store.pool(), taken, now).await? {
        return Err(TurnError::Lost);
    }
    let answer = relay.provider.send(&mail, now).await;
    failpoint("message.mail_sent");
    match &answer {
        Call::Unknown(why) => pass.failed(why.class()),
        Call::Done(()) | Call::Refused(_) | Call::RetryAfter(_) => pass.answered(),
    }
    match answer {
        Call::Done(()) => Ok(Outcome::Done),
        Call::Unknown(why) if why.may_have_happened() => Ok(Outcome::Unknown(why.to_string())),
        certainly_not => not_sent(ctx, taken, certainly_not).await,
    }
}

/// It is certain that nothing went: the mark is taken back, and it may be tried again.
async fn not_sent<T>(ctx: &Context, taken: &Taken, answer: Call<T>) -> Result<Outcome, TurnError> {
    match answer {
        Call::Refused(refusal) if !refusal.retryable && !refusal.is_about_our_account() => {
            return Ok(Outcome::Failed(refusal.to_string()));
        }
        Call::Done(_) => return Ok(Outcome::Done),
        Call::Refused(_) | Call::RetryAfter(_) | Call::Unknown(_) => {}
    }
    effect::not_called(ctx.store.pool(), taken).await?;
    Ok(match answer {
        Call::RetryAfter(wait) => busy(ctx, taken, wait),
        Call::Refused(refusal) => again(ctx, taken, refusal.to_string()),
        Call::Unknown(why @ Unknown::Unreachable(_)) => again(ctx, taken, why.to_string()),
        Call::Unknown(why) => Outcome::Unknown(why.to_string()),
        Call::Done(_) => Outcome::Done,
    })
}
