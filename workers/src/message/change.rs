//! What proves that somebody is they is about to be another, or has become so: whoever it is taken from is told.

use domain::{
    aggregate::Loaded,
    client::Client,
    reaction::{Notice, Whom},
    sign_in::WAIT,
};
use eventstore::link::{Stops, stop_url};

use crate::{act::TurnError, context::Context, effect::Letter, texts::Message};

/// The message, while it is so.
pub(super) async fn about(ctx: &Context, letter: Letter) -> Result<Option<Message>, TurnError> {
    let Whom::Client(client_id) = letter.whom else { return Ok(None) };
    let client: Loaded<Client> = ctx.store.load(client_id).await?;
    let (state, now) = (&client.state, ctx.store.clock().now());
    let url = |stops| stop_url(ctx.store.keyring(), &ctx.config.public_url, stops);
    let hours = WAIT.num_hours();
    Ok(match letter.notice {
        Notice::RecoveryBegun { recovery_id } => {
            let waits = state.recovery_now(now).is_some_and(|known| known.id == recovery_id);
            waits.then(|| Message::PinLost { hours, stop_url: url(Stops::Recovery(client_id, recovery_id)) })
        }
        Notice::NumberChangeBegun { change_id } => {
            let waits = state.number_change.as_ref().is_some_and(|known| known.id == change_id);
            waits.then(|| Message::NumberChanges { hours, stop_url: url(Stops::NumberChange(client_id, change_id)) })
        }
        Notice::RecoveryCompleted => Some(Message::PinReplaced),
        Notice::NumberChanged => Some(Message::NumberChanged),
        Notice::NumberWanted => Some(Message::NumberWanted),
        _ => None,
    })
}
