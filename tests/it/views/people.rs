//! Clients are ciphertext; keys are found by the hash of their secret.

use domain::{
    actor::{Actor, Role},
    client::{self as event, Language},
    ids::*,
    key::{self as granted, Scope, SecretHash},
    phone::PhoneHash,
    sealed::Sealed,
};
use projections::{client, key};

use super::make::{Log, at, id, manager, text, xof};

const NUMBER: &str = "+221771234567";

/// A client with a name and some credit, and a key that was revoked. Answers both ids.
pub async fn register(log: &mut Log) -> (ClientId, KeyId) {
    let client: ClientId = id();
    let phone = log.store.subjects().seal(client.uuid(), "phone", NUMBER).await.unwrap();
    let name = log.store.subjects().seal(client.uuid(), "name", "Awa Diop").await.unwrap();
    let registered = event::Registered {
        client_id: client,
        phone_hash: PhoneHash(format!("hash-of-{client}")),
        phone,
        name: None,
        language: Language::Wo,
        by: manager(),
        at: at(1),
    };
    let renamed = event::Renamed { client_id: client, name: Some(name), by: manager(), at: at(2) };
    let credited =
        |amount| event::Credited { client_id: client, payment_id: id(), amount: xof(amount), at: at(3) }.into();
    log.write(client, vec![registered.into(), renamed.into(), credited(500), credited(250)]).await;
    let key: KeyId = id();
    let granted = granted::Granted {
        key_id: key,
        label: text("gate"),
        secret_hash: SecretHash(format!("secret-of-{key}")),
        role: Role::Cashier,
        principal_id: id(),
        scopes: vec![Scope::CheckIn, Scope::PaymentsWrite],
        sites: Some(vec![SiteId::new(uuid::Uuid::from_u128(7))]),
        by: manager(),
        at: at(1),
    };
    log.write(key, vec![granted.into()]).await;
    (client, key)
}

/// Known by another number from now on.
fn changed(client: ClientId, from: &str, to: &str) -> event::Event {
    event::NumberChanged {
        client_id: client,
        change_id: id(),
        old_phone_hash: Some(PhoneHash(from.into())),
        phone_hash: PhoneHash(to.into()),
        phone: Sealed("c2VhbGVk".into()),
        cools_until: at(9),
        at: at(4),
    }
    .into()
}

#[tokio::test]
async fn numbers_that_go_round_within_one_batch_are_each_somebody_s() {
    let mut log = Log::new().await;
    // The first takes the number that the second gave back, and a third has the one of the first.
    let (one, two) = (register(&mut log).await.0, register(&mut log).await.0);
    let (of_one, of_two) = (format!("hash-of-{one}"), format!("hash-of-{two}"));
    log.project().await;
    log.write(two, vec![changed(two, &of_two, "another").into()]).await;
    log.write(one, vec![changed(one, &of_one, &of_two).into()]).await;
    let three: ClientId = id();
    let registered = event::Registered {
        client_id: three,
        phone_hash: PhoneHash(of_one.clone()),
        phone: Sealed("c2VhbGVk".into()),
        name: None,
        language: Language::Fr,
        by: manager(),
        at: at(5),
    };
    log.write(three, vec![registered.into()]).await;
    let released = event::NumberReleased { client_id: two, phone_hash: PhoneHash("another".into()), at: at(6) };
    log.write(two, vec![released.into()]).await;
    log.project().await;
    let who = async |hash: &str| {
        let found = client::find_by_phone(&log.world.pool, &PhoneHash(hash.into())).await.unwrap();
        found.row.map(|row| row.client_id)
    };
    assert_eq!((who(&of_two).await, who(&of_one).await, who("another").await), (Some(one), Some(three), None));
    let (_, rows) = client::find_many(&log.world.pool, &[two]).await.unwrap();
    assert!(rows[0].phone.is_none() && rows[0].name.is_some(), "what they did stays");
}

#[tokio::test]
async fn a_client_s_row_holds_nothing_that_can_be_read_without_their_key() {
    let mut log = Log::new().await;
    let (client, _) = register(&mut log).await;
    log.project().await;
    let (as_of, found) = client::find_many(&log.world.pool, &[client]).await.unwrap();
    assert_eq!(as_of, log.store.head().await.unwrap());
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(found.credit_in(domain::money::Currency::Xof), xof(750));
    assert_eq!((found.language, found.version), (Language::Wo, 4));
    let by_phone = client::find_by_phone(&log.world.pool, &PhoneHash(format!("hash-of-{client}"))).await.unwrap();
    assert_eq!(by_phone.row.as_ref(), Some(found));
    assert_eq!(client::find_by_phone(&log.world.pool, &PhoneHash("other".into())).await.unwrap().row, None);
    let raw: String =
        sqlx::query_scalar("SELECT c::text FROM read.clients AS c").fetch_one(&log.world.pool).await.unwrap();
    assert!(!raw.contains("Awa") && !raw.contains("771234567"), "{raw}");
    let opened = |sealed: Sealed, field: &'static str| {
        let store = log.store.clone();
        async move { store.subjects().open(client.uuid(), field, &sealed).await.unwrap() }
    };
    assert_eq!(opened(found.phone.clone().unwrap(), "phone").await.as_deref(), Some(NUMBER));
    assert_eq!(opened(found.name.clone().unwrap(), "name").await.as_deref(), Some("Awa Diop"));
}

#[tokio::test]
async fn a_key_is_found_by_its_secret_and_says_when_it_was_revoked() {
    let mut log = Log::new().await;
    let (_, key) = register(&mut log).await;
    log.project().await;
    let secret = SecretHash(format!("secret-of-{key}"));
    let found = key::find_by_secret(&log.world.pool, &secret).await.unwrap().row.unwrap();
    assert!(found.is_valid() && found.has(Scope::CheckIn) && !found.has(Scope::KeysWrite));
    assert!(found.reaches(SiteId::new(uuid::Uuid::from_u128(7))) && !found.reaches(id()));
    assert_eq!(found.actor(), Actor::new(Role::Cashier, found.principal_id));
    assert_eq!(key::find_by_secret(&log.world.pool, &SecretHash("other".into())).await.unwrap().row, None);
    log.write(key, vec![granted::Revoked { key_id: key, by: manager(), at: at(5) }.into()]).await;
    log.project().await;
    let (_, all) = key::of_principal(&log.world.pool, found.principal_id).await.unwrap();
    assert_eq!(all.iter().map(|key| key.revoked_at).collect::<Vec<_>>(), [Some(at(5))]);
    assert!(!all[0].is_valid());
}
