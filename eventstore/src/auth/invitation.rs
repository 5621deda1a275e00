//! Invitations: a token that only the mailbox of whoever is invited has.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    ids::{PrincipalId, SecretId},
    sign_in::INVITATION,
};
use zeroize::Zeroizing;

use crate::{Store, cipher};

const MAC: &str = "invitation v1";
const BYTES: usize = 32;

/// An invitation that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub account: PrincipalId,
    /// The second factor that was shown to them.
    pub totp: Option<SecretId>,
}

/// Makes the token of an account's invitation, at the moment of sending. Again is another token, and the one before is over.
/// `None` when it was accepted.
///
/// # Errors
/// The database's.
pub async fn make(store: &Store, account: PrincipalId) -> Result<Option<Zeroizing<String>>, sqlx::Error> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    cipher::random(bytes.as_mut_slice());
    let token = Zeroizing::new(format!("ki_{}", URL_SAFE_NO_PAD.encode(bytes.as_slice())));
    let made = sqlx::query!(
        "INSERT INTO auth.invitations AS known (account, token_mac, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (account) DO UPDATE SET token_mac = $2, expires_at = $3, totp_id = NULL WHERE known.used_at IS NULL",
        account.uuid(),
        &mac(store, &token)[..],
        store.clock().now() + INVITATION
    )
    .execute(store.pool())
    .await?;
    Ok((made.rows_affected() == 1).then_some(token))
}

/// The invitation of a token, as long as it is good.
///
/// # Errors
/// The database's.
pub async fn find(store: &Store, token: &str) -> Result<Option<Standing>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT account, totp_id FROM auth.invitations WHERE token_mac = $1 AND used_at IS NULL AND expires_at > $2",
        &mac(store, token)[..],
        store.clock().now()
    )
    .fetch_optional(store.pool())
    .await?;
    let standing =
        |account, totp: Option<_>| Standing { account: PrincipalId::new(account), totp: totp.map(SecretId::new) };
    Ok(row.map(|row| standing(row.account, row.totp_id)))
}

/// Notes which second factor was shown.
///
/// # Errors
/// The database's.
pub async fn show(store: &Store, account: PrincipalId, totp: SecretId) -> Result<(), sqlx::Error> {
    let shown = sqlx::query!(
        "UPDATE auth.invitations SET totp_id = $2 WHERE account = $1 AND used_at IS NULL",
        account.uuid(),
        totp.uuid()
    );
    shown.execute(store.pool()).await.map(drop)
}

/// Uses an invitation up. False when somebody did meanwhile.
///
/// # Errors
/// The database's.
pub async fn use_up(store: &Store, account: PrincipalId) -> Result<bool, sqlx::Error> {
    let used = sqlx::query!(
        "UPDATE auth.invitations SET used_at = $2 WHERE account = $1 AND used_at IS NULL",
        account.uuid(),
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    Ok(used.rows_affected() == 1)
}

fn mac(store: &Store, token: &str) -> [u8; 32] {
    store.keyring().hash(MAC, token.as_bytes())
}
