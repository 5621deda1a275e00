//! The invitation of whoever is to work here: its token is made here, mailed, and kept nowhere.

use domain::{account::Account, aggregate::Loaded, ids::PrincipalId, sealed::field, sign_in::INVITATION};
use eventstore::auth::invitation;

use super::{Words, mail_once};
use crate::{
    act::TurnError,
    context::Context,
    effect::{Outcome, Taken},
};

/// Mails an invitation, at most once: an admin sends another when it did not arrive.
pub(crate) async fn invite(ctx: &Context, taken: &Taken, id: PrincipalId) -> Result<Outcome, TurnError> {
    if taken.called_at.is_some() {
        return Ok(Outcome::Unknown("whoever sent it could not say whether it went".into()));
    }
    let account: Loaded<Account> = ctx.store.load(id).await?;
    let waits = account.state.approved && account.state.passphrase.is_none() && !account.state.suspended;
    let (Some(email), Some(duty)) = (&account.state.email, account.state.duty.as_ref().filter(|_| waits)) else {
        return Ok(Outcome::Dropped("overtaken by events".into()));
    };
    let Some(to) = ctx.store.subjects().open(id.uuid(), field::EMAIL, email).await? else {
        return Ok(Outcome::Dropped("no address".into()));
    };
    mail_once(ctx, taken, async || {
        let Some(token) = invitation::make(&ctx.store, id).await? else { return Ok(None) };
        let text = format!(
            "Vous êtes invité(e) à travailler avec Kalel ({role}).\n\n\
             Code d'invitation: {token}\n\n\
             Il est valable {hours} heures et une seule fois. Ne le transmettez à personne: qui l'a prend votre place.\n\
             {address}/docs#/invitations\n\n\
             You are invited to work with Kalel ({role}). The code above is good for {hours} hours, once. Pass it on to nobody.\n",
            role = duty.role.as_str(),
            token = token.as_str(),
            hours = INVITATION.num_hours(),
            address = ctx.config.public_url,
        );
        Ok(Some(Words { to, subject: "Invitation".to_owned(), text }))
    })
    .await
}
