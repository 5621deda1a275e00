//! What an operation is: one declared row from which the router, the rights and the OpenAPI document are all made.

use std::{borrow::Cow, future::Future, pin::Pin};

use axum::http::Method;
use domain::{actor::Role, key::Scope};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    http::{admission::Class, call::Call, deprecated::Deprecated, halt::Halt, limits::Purpose, reply::Reply},
    problem::Problem,
};

/// What a handler gives back, later.
pub type Answering = Pin<Box<dyn Future<Output = Result<Reply, Halt>> + Send>>;

/// One operation of the API. `..Operation::READ` and `..Operation::WRITE` give the usual rest.
#[derive(Clone)]
pub struct Operation {
    /// `noun.verb`: the `operationId`, the metric label and the audit name.
    pub id: &'static str,
    pub method: Method,
    /// With `{name}` segments.
    pub path: &'static str,
    pub summary: &'static str,
    pub about: &'static str,
    pub authz: Authz,
    /// Moves money or rights: whoever is signed in proves themselves once more, and with real money no key does.
    pub step_up: bool,
    /// The same for these of its roles; the others, such as programs, go on as ever.
    pub step_up_of: &'static [Role],
    /// What its calls are counted as.
    pub limit: Purpose,
    /// What it is worth when not everything can be done.
    pub class: Class,
    /// Takes a slot or moves money: an `Idempotency-Key` is required.
    pub idempotent: bool,
    pub if_match: IfMatch,
    /// Every query parameter there is; any other is refused.
    pub query: &'static [Param],
    pub body: Option<Shape>,
    /// A body of any type, kept raw: webhooks.
    pub raw_body: bool,
    /// A file instead of JSON.
    pub upload: Option<Upload>,
    pub success: Success,
    /// Codes of problems that belong to this operation, besides the usual ones.
    pub refusals: &'static [&'static str],
    /// It goes away: what is said of that, and when.
    pub deprecated: Option<Deprecated>,
    pub run: fn(Call) -> Answering,
}

/// A file that is sent as it is.
#[derive(Clone, Copy, Debug)]
pub struct Upload {
    /// Its media type, and no other.
    pub media: &'static str,
    /// Bytes at most.
    pub most: usize,
    pub about: &'static str,
    pub example: &'static str,
}

/// What comes back when all is well.
#[derive(Clone, Copy)]
pub struct Success {
    /// HTTP.
    pub status: u16,
    pub about: &'static str,
    pub media: &'static str,
    pub shape: Option<Shape>,
    /// With `preview=true`, when it is of another shape: 200.
    pub preview: Option<Shape>,
}

/// Whether `If-Match` is looked at (decisions.md, HTTP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    Ignored,
    Optional,
    /// Configuration: 428 without it.
    Required,
}

/// Who may call an operation. The one table of rights: enforced by the pipeline, published as `x-authz`.
#[derive(Clone, Copy, Debug)]
pub enum Authz {
    /// Nobody said: nobody may, and what is routed like this does not compile (`router.rs`).
    Undeclared,
    /// No key needed; one that is sent must be good.
    Anyone,
    /// A provider, by its signature.
    Signature,
    /// A key with this scope and one of these roles, over what the role owns; or somebody signed in, whose role has it.
    Keys { scope: Scope, roles: &'static [(Role, Over)] },
    /// Somebody who is signed in, with one of these roles: what is about signing in itself. No key does.
    Session { roles: &'static [(Role, Over)] },
}

/// What a role may touch with an operation; anything else does not exist for it (404).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Whatever there is.
    All,
    /// What is theirs: a client's reservations.
    Own,
    /// What belongs to the sites they run or work at.
    Sites,
    /// Of that what is played today: who stands at the gate.
    SitesToday,
    /// What they made, and what belongs to their sites: an API consumer.
    MadeOrSites,
}

impl Over {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Own => "own",
            Self::Sites => "their_sites",
            Self::SitesToday => "their_sites_today",
            Self::MadeOrSites => "made_or_their_sites",
        }
    }
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub example: &'static str,
    /// What its value is checked against beyond its form; empty for nothing. Published as `x-checked`.
    pub checked: &'static str,
    /// Characters of a text, at most.
    pub longest: usize,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Text,
    /// An id.
    Id,
    /// An id or slug.
    Name,
    /// A position of the log, or a time.
    Moment,
    /// Latitude and longitude.
    Point,
    /// Some of these, separated by commas.
    Some(&'static [&'static str]),
    Integer {
        min: i64,
        max: i64,
    },
    Time,
    Date,
    Flag,
    OneOf(&'static [&'static str]),
    /// May be given several times.
    Many(&'static [&'static str]),
}

impl Param {
    pub const fn new(name: &'static str, kind: Kind, about: &'static str, example: &'static str) -> Self {
        Self { name, about, kind, required: false, example, checked: "", longest: 1000 }
    }

    pub const fn longest(mut self, characters: usize) -> Self {
        self.longest = characters;
        self
    }

    pub const fn checked(mut self, against: &'static str) -> Self {
        self.checked = against;
        self
    }

    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// A type of a body, by its schema.
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: fn() -> Cow<'static, str>,
    pub schema: fn() -> RefOr<Schema>,
    /// Adds the schemas it refers to.
    pub parts: fn(&mut Vec<(String, RefOr<Schema>)>),
    pub example: fn() -> Value,
}

/// A body that shows itself in the documentation.
pub trait Exemplary: ToSchema {
    fn example() -> Value;
}

impl Shape {
    pub const fn of<T: Exemplary>() -> Self {
        Self {
            name: <T as ToSchema>::name,
            schema: <T as PartialSchema>::schema,
            parts: <T as ToSchema>::schemas,
            example: <T as Exemplary>::example,
        }
    }
}

const NO_REPLY: Success =
    Success { status: 200, about: "Done.", media: "application/json", shape: None, preview: None };

fn nothing(_: Call) -> Answering {
    Box::pin(async { Err(Problem::new("request.no_such_route").into()) })
}

impl Operation {
    pub const READ: Self = Self {
        id: "",
        method: Method::GET,
        path: "",
        summary: "",
        about: "",
        authz: Authz::Undeclared,
        step_up: false,
        step_up_of: &[],
        limit: Purpose::Call,
        class: Class::Search,
        idempotent: false,
        if_match: IfMatch::Ignored,
        query: &[],
        body: None,
        raw_body: false,
        upload: None,
        success: NO_REPLY,
        refusals: &[],
        deprecated: None,
        run: nothing,
    };

    pub const WRITE: Self =
        Self { method: Method::POST, class: Class::Hold, idempotent: true, if_match: IfMatch::Optional, ..Self::READ };

    /// Whether it says who may call it.
    pub const fn declared(&self) -> bool {
        !matches!(self.authz, Authz::Undeclared)
    }

    /// Whether somebody of this role has to have proven themselves a moment ago.
    pub fn steps_up(&self, role: Role) -> bool {
        self.step_up || self.step_up_of.contains(&role)
    }

    /// Names of the path's `{name}` segments.
    pub fn path_names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| {
            let (_, named) = part.split_once('{')?;
            named.split_once('}').map(|(name, _)| name)
        })
    }
}

/// The first operation that does not say who may call it.
pub const fn undeclared(nouns: &[&[&'static Operation]]) -> Option<&'static str> {
    let mut noun = 0;
    while noun < nouns.len() {
        let mut row = 0;
        while row < nouns[noun].len() {
            if !nouns[noun][row].declared() {
                return Some(nouns[noun][row].id);
            }
            row += 1;
        }
        noun += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &Operation = &Operation { id: "thing.show", ..Operation::READ };
    const WRITE: &Operation = &Operation { id: "thing.make", ..Operation::WRITE };
    const OPEN: &Operation = &Operation { id: "thing.list", authz: Authz::Anyone, ..Operation::READ };

    #[test]
    fn an_operation_that_does_not_say_who_may_call_it_is_found() {
        assert!(!READ.declared() && !WRITE.declared() && OPEN.declared());
        assert_eq!(undeclared(&[&[OPEN], &[OPEN, WRITE, READ]]), Some("thing.make"));
        assert_eq!(undeclared(&[&[OPEN], &[], &[READ]]), Some("thing.show"));
        assert_eq!(undeclared(&[&[OPEN], &[]]), None);
    }
}
