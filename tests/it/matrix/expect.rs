//! What must come back: computed from the declared table of rights and from whose the fixtures are, and from nothing else.

use ::api::http::operation::{Authz, Operation, Over};
use domain::actor::Role;

use super::{
    actors::{Actor, Holder, Is},
    bodies::{Case, Touches},
    objects::Object,
};

/// What a request of the matrix must be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// With this code.
    Unknown(&'static str),
    /// It does not sign in: 401, and after five of them 429.
    NotProven,
    /// 403, the role is not named.
    OtherRole,
    /// 403, the key may not.
    NoScope,
    /// 403, it wants somebody who is signed in, and it is a key.
    NoSession,
    /// 403, they have not proven themselves for a while.
    NotFresh,
    /// 403, what is sent goes by the rights of a key, and it is none.
    NoKey,
    /// It does not exist, for them: 404 without a word more.
    Hidden,
    /// It does not exist for anybody.
    Missing,
    /// All of the house is not for a key that names sites: 403 or 404.
    Barred,
    /// 401 or 404: it does not prove its origin.
    NotTheProvider,
    /// `PUT` on an id that is somebody else's: 409 without detail (decisions.md, HTTP).
    Taken,
    /// Nothing of it, or 404: a list narrowed to what is out of reach.
    Nothing,
    /// Whatever the rules of the house say, but not that they may not.
    Allowed,
}

/// By the declaration, and nothing else.
pub fn expected(operation: &Operation, actor: &Actor, case: &Case) -> Expected {
    let (scope, roles) = match (operation.authz, &actor.is) {
        (Authz::Undeclared, _) => return Expected::OtherRole,
        (Authz::Signature, _) => return Expected::NotTheProvider,
        (_, Is::Refused(code)) => return Expected::Unknown(code),
        // Its token is one that nobody was given.
        (Authz::Anyone, _) if operation.id == "session.refresh" => return Expected::Unknown("session.ended"),
        (Authz::Anyone, _) if operation.id == "session.open_staff" => return Expected::NotProven,
        (Authz::Anyone, _) => return if case.exists { Expected::Allowed } else { Expected::Missing },
        (Authz::Keys { .. } | Authz::Session { .. }, Is::Nobody) => return Expected::Unknown("auth.missing"),
        (Authz::Keys { scope, roles }, Is::Holder(_)) => (Some(scope), roles),
        (Authz::Session { .. }, Is::Holder(holder)) if !holder.signed_in => return Expected::NoSession,
        (Authz::Session { roles }, Is::Holder(_)) => (None, roles),
    };
    let Is::Holder(holder) = &actor.is else { return Expected::Unknown("auth.missing") };
    let Some((_, over)) = roles.iter().find(|(role, _)| *role == holder.role) else { return Expected::OtherRole };
    if scope.is_some_and(|scope| !holder.scopes.contains(&scope)) {
        return Expected::NoScope;
    }
    if operation.steps_up(holder.role) && !holder.fresh {
        return Expected::NotFresh;
    }
    let puts = operation.id == "reservation.put";
    let sends = matches!(operation.id, "endpoint.create" | "endpoint.change");
    match &case.touches {
        Touches::Nothing if sends && holder.signed_in => Expected::NoKey,
        Touches::Nothing => Expected::Allowed,
        Touches::TheHouse if reaches(holder, *over, &Object::default()) => Expected::Allowed,
        Touches::TheHouse => Expected::Barred,
        Touches::Narrowed(_) if !case.exists => Expected::Nothing,
        Touches::Narrowed(object) if reaches(holder, *over, object) => Expected::Allowed,
        Touches::Narrowed(_) => Expected::Nothing,
        Touches::One(_) | Touches::Makes(_) | Touches::Books(_) if !case.exists => Expected::Missing,
        Touches::Makes(object) if makes(holder, *over, object) => Expected::Allowed,
        Touches::Books(object) if makes(holder, *over, &by(holder, object)) => Expected::Allowed,
        Touches::Makes(_) | Touches::Books(_) => Expected::Hidden,
        Touches::One(object) if reaches(holder, *over, object) && sends && holder.signed_in => Expected::NoKey,
        Touches::One(object) if reaches(holder, *over, object) => Expected::Allowed,
        Touches::One(_) if puts => Expected::Taken,
        Touches::One(_) => Expected::Hidden,
    }
}

/// Whether an object exists for the holder of a key (docs/api/README.md, Who may do what).
pub fn reaches(holder: &Holder, over: Over, object: &Object) -> bool {
    // A key that names sites is narrowed to them; what belongs to no site is for keys that name none.
    let named = holder.sites.as_ref().map(|sites| object.site.is_some_and(|site| sites.contains(&site)));
    let theirs = match holder.role {
        Role::Manager => object.manager == Some(holder.me) && named.unwrap_or(true),
        _ => named.unwrap_or(false),
    };
    match over {
        Over::All => named.unwrap_or(true),
        Over::Own => object.client == Some(holder.me),
        Over::Sites => theirs,
        Over::SitesToday => theirs && object.today,
        Over::MadeOrSites => object.made_by == Some(holder.me) || theirs,
    }
}

/// Whether the holder may make something at a site: what they make is theirs, but a key that names sites makes nothing
/// elsewhere.
fn makes(holder: &Holder, over: Over, object: &Object) -> bool {
    let elsewhere = holder.sites.as_ref().is_some_and(|sites| object.site.is_none_or(|site| !sites.contains(&site)));
    !elsewhere && reaches(holder, over, object)
}

/// A reservation is its maker's, and a client's own.
fn by(holder: &Holder, object: &Object) -> Object {
    Object { client: Some(holder.me), made_by: Some(holder.me), ..*object }
}

/// What is wrong with an answer, if anything is.
pub fn wrong(expected: Expected, status: u16, code: &str, empty: bool) -> Option<String> {
    let right = match expected {
        Expected::Unknown(wanted) => status == 401 && code == wanted,
        Expected::NotProven => [(401, "session.refused"), (429, "session.locked")].contains(&(status, code)),
        Expected::OtherRole => status == 403 && code == "auth.role_forbidden",
        Expected::NoScope => status == 403 && code == "auth.scope_missing",
        Expected::NoKey => status == 403 && code == "endpoint.may_not_read",
        Expected::NotFresh => status == 403 && code == "session.step_up_required",
        Expected::NoSession => status == 403 && code == "session.required",
        Expected::Hidden => status == 404 && code == "object.not_found",
        Expected::Missing => status == 404,
        Expected::Barred => matches!(status, 403 | 404),
        Expected::NotTheProvider => matches!(status, 401 | 404),
        Expected::Taken => status == 409 && code == "object.exists",
        Expected::Nothing => status == 404 || status == 400 || (status == 200 && empty),
        Expected::Allowed => !matches!(status, 401 | 403 | 404) && status < 500,
    };
    (!right).then(|| format!("expected {expected:?}, got {status} {code}"))
}
