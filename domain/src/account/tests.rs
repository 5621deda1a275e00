//! Who gets which account, by whom.

use uuid::Uuid;

use super::{
    Account, Duty, EmailHash, Invitation, Refusal, accept, approve, grant_role, invite, invite_again, propose_role,
    resume, set_passphrase, suspend,
};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Aggregate, Loaded},
    decision::Decision,
    ids::{PrincipalId, SecretId, SiteId},
    sealed::Sealed,
    spec::example::at,
    text::Note,
};

fn now() -> Timestamp {
    at("2026-11-28 10:00")
}

fn id(n: u128) -> PrincipalId {
    PrincipalId::new(Uuid::from_u128(n))
}

const fn by(role: Role, n: u128) -> Actor {
    Actor::new(role, PrincipalId::new(Uuid::from_u128(n)))
}

const FIRST: Actor = by(Role::Admin, 1);
const SECOND: Actor = by(Role::Admin, 2);

fn duty(role: Role) -> Duty {
    let sites = matches!(role, Role::Gatekeeper | Role::Cashier).then(|| vec![SiteId::new(Uuid::from_u128(9))]);
    Duty { role, sites }
}

fn invitation(role: Role) -> Invitation {
    Invitation { email_hash: EmailHash("f00d".into()), email: Sealed("c2VhbGVk".into()), duty: duty(role) }
}

fn secret(n: u128) -> SecretId {
    SecretId::new(Uuid::from_u128(n))
}

fn after(mut account: Loaded<Account>, decision: Result<Decision, Refusal>) -> Loaded<Account> {
    for event in decision.unwrap().changes.into_iter().flat_map(|change| change.events) {
        account.apply(Account::select(event).unwrap());
    }
    account
}

/// Somebody who works.
fn working(role: Role, n: u128) -> Loaded<Account> {
    let account = Loaded::new(id(n));
    let account = after(account.clone(), invite(&account, invitation(role), FIRST, now()));
    let account = after(account.clone(), approve(&account, SECOND, now()));
    after(account.clone(), accept(&account, secret(1), secret(2), now()))
}

#[test]
fn admins_invite_everybody_and_managers_who_stands_at_their_gate() {
    let all =
        [Role::Manager, Role::Support, Role::Finance, Role::Admin, Role::Auditor, Role::Gatekeeper, Role::Cashier];
    let account = Loaded::new(id(7));
    for role in all {
        assert!(invite(&account, invitation(role), FIRST, now()).is_ok(), "{role:?}");
        let by_manager = invite(&account, invitation(role), by(Role::Manager, 5), now());
        assert_eq!(by_manager.is_ok(), matches!(role, Role::Gatekeeper | Role::Cashier), "{role:?}");
        for other in [Role::Support, Role::Finance, Role::Auditor, Role::Service, Role::Client, Role::Cashier] {
            assert!(invite(&account, invitation(role), by(other, 5), now()).is_err());
        }
    }
    for role in [Role::Client, Role::Service, Role::System, Role::Provider] {
        assert_eq!(invite(&account, invitation(role), FIRST, now()), Err(Refusal::NoSuchRole { role }));
    }
    let nowhere =
        Invitation { duty: Duty { role: Role::Cashier, sites: Some(Vec::new()) }, ..invitation(Role::Cashier) };
    assert_eq!(invite(&account, nowhere, FIRST, now()), Err(Refusal::NoSites));
    let there = working(Role::Support, 7);
    assert_eq!(invite(&there, invitation(Role::Support), FIRST, now()), Err(Refusal::Exists));
}

#[test]
fn never_again_anybody_registers_as_admin() {
    for role in [Role::Admin, Role::Finance] {
        let account = Loaded::new(id(7));
        let account = after(account.clone(), invite(&account, invitation(role), FIRST, now()));
        assert_eq!(accept(&account, secret(1), secret(2), now()), Err(Refusal::NotApproved));
        assert_eq!(approve(&account, FIRST, now()), Err(Refusal::SamePerson));
        let manager = by(Role::Manager, 5);
        assert_eq!(approve(&account, manager, now()), Err(Refusal::RoleNotAllowed { role: Role::Manager }));
        let account = after(account.clone(), approve(&account, SECOND, now()));
        assert_eq!(account.state.working(), None, "not before they came");
        let account = after(account.clone(), accept(&account, secret(1), secret(2), now()));
        assert_eq!(account.state.working(), Some(&duty(role)));
    }
    // Whoever runs the installation invites the first one.
    let account = Loaded::new(id(7));
    let account = after(account.clone(), invite(&account, invitation(Role::Admin), Actor::SYSTEM, now()));
    assert!(accept(&account, secret(1), secret(2), now()).is_ok());
}

#[test]
fn an_invitation_goes_out_once_nobody_else_has_to_agree() {
    let sent = |decision: Decision| {
        let events = decision.changes.into_iter().flat_map(|change| change.events);
        events.flat_map(|event| crate::reaction::react(&event)).count()
    };
    let account = Loaded::new(id(7));
    assert_eq!(sent(invite(&account, invitation(Role::Support), FIRST, now()).unwrap()), 1);
    assert_eq!(sent(invite(&account, invitation(Role::Admin), Actor::SYSTEM, now()).unwrap()), 1);
    assert_eq!(sent(invite(&account, invitation(Role::Finance), FIRST, now()).unwrap()), 0);
    let invited = after(account.clone(), invite(&account, invitation(Role::Finance), FIRST, now()));
    assert_eq!(sent(approve(&invited, SECOND, now()).unwrap()), 1);
    // Once more, and by two once more.
    let approved = after(invited.clone(), approve(&invited, SECOND, now()));
    let again = after(approved.clone(), invite_again(&approved, SECOND, now()));
    assert_eq!(accept(&again, secret(1), secret(2), now()), Err(Refusal::NotApproved));
    assert_eq!(approve(&again, SECOND, now()), Err(Refusal::SamePerson));
    assert!(approve(&again, FIRST, now()).is_ok());
    assert_eq!(invite_again(&working(Role::Support, 8), FIRST, now()), Err(Refusal::Accepted));
}

#[test]
fn an_invitation_is_accepted_once() {
    let account = working(Role::Support, 7);
    assert_eq!(accept(&account, secret(3), secret(4), now()), Err(Refusal::Accepted));
    let unknown = Loaded::new(id(8));
    assert_eq!(accept(&unknown, secret(3), secret(4), now()), Err(Refusal::Unknown));
    let changed = after(account.clone(), set_passphrase(&account, secret(5), by(Role::Support, 7), now()));
    assert_eq!((changed.state.passphrase, changed.state.totp), (Some(secret(5)), Some(secret(2))));
    assert_eq!(set_passphrase(&unknown, secret(5), by(Role::Support, 8), now()), Err(Refusal::NotAccepted));
}

#[test]
fn another_role_takes_two_who_are_somebody_else() {
    let account = working(Role::Support, 7);
    assert_eq!(grant_role(&account, FIRST, now()), Err(Refusal::NothingProposed));
    let proposed = after(account.clone(), propose_role(&account, duty(Role::Finance), FIRST, now()));
    assert_eq!(proposed.state.working(), Some(&duty(Role::Support)), "until it is granted");
    assert_eq!(grant_role(&proposed, FIRST, now()), Err(Refusal::SamePerson));
    let granted = after(proposed.clone(), grant_role(&proposed, SECOND, now()));
    assert_eq!(granted.state.working(), Some(&duty(Role::Finance)));
    assert_eq!(granted.state.proposed, None);
    let admin = working(Role::Admin, 1);
    assert_eq!(propose_role(&admin, duty(Role::Finance), FIRST, now()), Err(Refusal::SamePerson), "one's own");
    let invited = Loaded::new(id(8));
    let invited = after(invited.clone(), invite(&invited, invitation(Role::Support), FIRST, now()));
    assert_eq!(propose_role(&invited, duty(Role::Finance), FIRST, now()), Err(Refusal::NotAccepted));
}

#[test]
fn who_is_suspended_does_nothing_until_they_go_on() {
    let account = working(Role::Manager, 7);
    let why = || Note::new("Enquête").unwrap();
    assert!(suspend(&account, why(), by(Role::Finance, 3), now()).is_err());
    let stopped = after(account.clone(), suspend(&account, why(), FIRST, now()));
    assert_eq!(stopped.state.working(), None);
    assert!(suspend(&stopped, why(), FIRST, now()).unwrap().is_nothing());
    assert_eq!(set_passphrase(&stopped, secret(5), by(Role::Manager, 7), now()), Err(Refusal::Suspended));
    let on = after(stopped.clone(), resume(&stopped, SECOND, now()));
    assert_eq!(on.state.working(), Some(&duty(Role::Manager)));
    let admin = working(Role::Admin, 1);
    assert_eq!(suspend(&admin, why(), FIRST, now()), Err(Refusal::SamePerson));
}
