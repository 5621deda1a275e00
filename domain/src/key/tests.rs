//! Keys by example.

use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    ids::{KeyId, PrincipalId, SiteId},
    spec::{example::at, given, load},
    text::Name,
};

use super::{
    Event, Grant, Granted, Key, LONGEST_OVERLAP, Refusal, Revoked, Rotated, Scope, SecretHash, grant, revoke, rotate,
    scopes_of,
};

const ID: KeyId = KeyId::new(Uuid::from_u128(0x4E));
const WHO: PrincipalId = PrincipalId::new(Uuid::from_u128(0x40));

fn now() -> Timestamp {
    at("2026-11-22 12:00")
}

fn wish(role: Role, scopes: Option<Vec<Scope>>) -> Grant {
    Grant {
        label: Name::new("gate").unwrap(),
        secret_hash: SecretHash("hash".to_owned()),
        role,
        principal_id: WHO,
        scopes,
        sites: None,
    }
}

fn granted(role: Role, scopes: Vec<Scope>) -> Event {
    let Grant { label, secret_hash, role, principal_id, sites, .. } = wish(role, None);
    Granted { key_id: ID, label, secret_hash, role, principal_id, scopes, sites, by: Actor::SYSTEM, at: now() }.into()
}

fn revoked() -> Event {
    Revoked { key_id: ID, by: Actor::SYSTEM, at: now() }.into()
}

fn asking(wish: Grant) -> impl FnOnce(&crate::aggregate::Loaded<Key>) -> Result<crate::decision::Decision, Refusal> {
    move |key| grant(key, wish, Actor::SYSTEM, at("2026-11-23 09:00"))
}

#[test]
fn nobody_chooses_a_scope_their_role_does_not_have() {
    given::<Key>(ID, [] as [Event; 0])
        .when(asking(wish(Role::Client, Some(vec![Scope::SitesRead, Scope::RefundsApprove]))))
        .then_refused(Refusal::TooWide { role: Role::Client, scope: Scope::RefundsApprove });
    given::<Key>(ID, [] as [Event; 0])
        .when(asking(wish(Role::System, None)))
        .then_refused(Refusal::NotForKeys { role: Role::System });
    given::<Key>(ID, [] as [Event; 0]).when(asking(wish(Role::Client, Some(vec![])))).then_refused(Refusal::NoScope);
}

#[test]
fn an_auditor_can_never_write_and_an_admin_moves_no_money() {
    let writes = |scope: &Scope| {
        !matches!(
            scope,
            Scope::SitesRead | Scope::ReservationsRead | Scope::PaymentsRead | Scope::PayoutsRead | Scope::EventsRead
        )
    };
    assert!(!scopes_of(Role::Auditor).iter().any(writes));
    let money = [
        Scope::PaymentsWrite,
        Scope::RefundsCreate,
        Scope::RefundsApprove,
        Scope::ReconciliationsWrite,
        Scope::PayoutsWrite,
        Scope::ReservationsWrite,
    ];
    assert!(!scopes_of(Role::Admin).iter().any(|scope| money.contains(scope)));
    assert!(!scopes_of(Role::Service).contains(&Scope::KeysWrite), "a key cannot make keys");
}

#[test]
fn granting_the_same_again_is_nothing_to_do() {
    let gate = granted(Role::Gatekeeper, scopes_of(Role::Gatekeeper).to_vec());
    given::<Key>(ID, [gate.clone()]).when(asking(wish(Role::Gatekeeper, None))).then_nothing();
    given::<Key>(ID, [gate.clone()]).when(asking(wish(Role::Cashier, None))).then_refused(Refusal::AlreadyGranted);
    given::<Key>(ID, [gate, revoked()]).when(asking(wish(Role::Gatekeeper, None))).then_refused(Refusal::Revoked);
}

#[test]
fn a_revoked_key_stands_for_nobody() {
    let gate = granted(Role::Gatekeeper, vec![Scope::CheckIn]);
    let key = load::<Key>(ID, [gate.clone()]);
    let holder = key.state.holder().unwrap();
    assert!(holder.may(Scope::CheckIn) && !holder.may(Scope::PaymentsWrite));
    assert!(holder.reaches(SiteId::new(Uuid::nil())));
    given::<Key>(ID, [gate.clone()]).when(|key| revoke(key, Actor::SYSTEM, now())).then([revoked()]);
    given::<Key>(ID, [gate.clone(), revoked()]).when(|key| revoke(key, Actor::SYSTEM, now())).then_nothing();
    given::<Key>(ID, [] as [Event; 0]).when(|key| revoke(key, Actor::SYSTEM, now())).then_refused(Refusal::Unknown);
    assert_eq!(load::<Key>(ID, [gate, revoked()]).state.holder(), None);
}

fn secret(text: &str) -> SecretHash {
    SecretHash(text.to_owned())
}

fn rotated(to: &str, until: &str) -> Event {
    let (by, at_) = (Actor::SYSTEM, at("2026-11-23 09:00"));
    Rotated { key_id: ID, secret_hash: secret(to), older_until: at(until), by, at: at_ }.into()
}

#[test]
fn while_a_secret_is_changed_both_open_and_then_the_new_one_alone() {
    let before = load::<Key>(ID, [granted(Role::Service, vec![Scope::SitesRead])]).state;
    assert!(before.opens(&secret("hash"), now()) && !before.opens(&secret("second"), now()));
    let after =
        load::<Key>(ID, [granted(Role::Service, vec![Scope::SitesRead]), rotated("second", "2026-11-24 09:00")]).state;
    for (moment, older) in [("2026-11-24 08:59", true), ("2026-11-24 09:00", false)] {
        assert!(after.opens(&secret("second"), at(moment)));
        assert_eq!(after.opens(&secret("hash"), at(moment)), older, "{moment}");
    }
    // A third one ends the first at once.
    let third = load::<Key>(
        ID,
        [
            granted(Role::Service, vec![Scope::SitesRead]),
            rotated("second", "2026-11-24 09:00"),
            rotated("third", "2026-11-24 09:00"),
        ],
    )
    .state;
    let open = ["hash", "second", "third"].map(|text| third.opens(&secret(text), now()));
    assert_eq!(open, [false, true, true]);
    let ended = load::<Key>(
        ID,
        [granted(Role::Service, vec![Scope::SitesRead]), rotated("second", "2026-11-24 09:00"), revoked()],
    )
    .state;
    assert!(!ended.opens(&secret("hash"), now()) && !ended.opens(&secret("second"), now()));
}

#[test]
fn a_secret_is_changed_with_an_overlap_of_a_week_at_most_and_only_of_a_key_that_works() {
    let change = |overlap: chrono::Duration| {
        move |key: &crate::aggregate::Loaded<Key>| {
            rotate(key, secret("second"), overlap, Actor::SYSTEM, at("2026-11-23 09:00"))
        }
    };
    let day = chrono::Duration::days(1);
    let service = || granted(Role::Service, vec![Scope::SitesRead]);
    given::<Key>(ID, [service()]).when(change(day)).then([rotated("second", "2026-11-24 09:00")]);
    let too_long = Refusal::OverlapTooLong { most_hours: 168 };
    for overlap in [LONGEST_OVERLAP + chrono::Duration::seconds(1), chrono::Duration::seconds(-1)] {
        given::<Key>(ID, [service()]).when(change(overlap)).then_refused(too_long.clone());
    }
    given::<Key>(ID, [service(), revoked()]).when(change(day)).then_refused(Refusal::Revoked);
    given::<Key>(ID, [] as [Event; 0]).when(change(day)).then_refused(Refusal::Unknown);
}

/// With real money one person is not two because they have two keys.
#[test]
fn a_key_of_a_person_is_that_of_an_account_with_this_role() {
    use crate::account::{Account, Duty};

    let working = |role| Account {
        duty: Some(Duty { role, sites: None }),
        approved: true,
        passphrase: Some(crate::ids::SecretId::new(uuid::Uuid::from_u128(1))),
        ..Account::default()
    };
    assert_eq!(super::belongs(Role::Service, &Account::default()), Ok(()));
    for role in [Role::Finance, Role::Admin, Role::Manager, Role::Client, Role::Auditor] {
        assert_eq!(super::belongs(role, &Account::default()), Err(Refusal::NoAccount { role }));
        let stopped = Account { suspended: true, ..working(role) };
        assert_eq!(super::belongs(role, &stopped), Err(Refusal::NoAccount { role }));
        assert_eq!(super::belongs(role, &working(Role::Support)), Err(Refusal::NoAccount { role }));
        assert_eq!(super::belongs(role, &working(role)), Ok(()));
    }
}
