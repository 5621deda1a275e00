//! The code of whoever signs in: made here, sent, and kept nowhere.

use adapters::sms;
use domain::sign_in::LIFE;
use eventstore::auth::challenge::{Armed, arm};
use uuid::Uuid;

use super::text_once;
use crate::{
    act::TurnError,
    context::Context,
    effect::{Outcome, Taken},
    texts,
};

/// Sends a code, at most once: whoever did not get it asks for another.
pub(crate) async fn send_code(ctx: &Context, taken: &Taken, challenge: Uuid) -> Result<Outcome, TurnError> {
    if taken.called_at.is_some() {
        return Ok(Outcome::Unknown("whoever sent it could not say whether it went".into()));
    }
    text_once(ctx, taken, async || {
        let Some(Armed { phone, code, language }) = arm(&ctx.store, challenge).await? else { return Ok(None) };
        Ok(Some(sms::Message { to: phone, text: texts::code(language, &code, LIFE.num_minutes()) }))
    })
    .await
}
