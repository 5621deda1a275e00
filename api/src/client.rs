//! People: found by their number or registered in the same command; opened only for whoever may know them.

mod balance;
mod erase;
mod export;
mod fine;
mod number;
mod pin;
mod seen;

use adapters::phone;
use domain::{
    actor::Actor,
    aggregate::Loaded,
    client::{self, Client, Language, Person},
    decision::Decision,
    ids::ClientId,
    phone::Phone,
    sealed::field,
    text::Name,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    App,
    http::{call::Call, form, halt::Halt, operation::Operation},
    problem::Problem,
};

pub(crate) use seen::last_seen;

pub const OPERATIONS: &[&Operation] = &[
    &pin::CHANGE_PIN,
    &number::CHANGE_NUMBER,
    &number::KEEP_NUMBER,
    &erase::ERASE,
    &export::EXPORT,
    &balance::BALANCE,
    &fine::SHOW,
    &fine::APPEAL,
    &fine::DECIDE,
];

/// A person who plays, as whoever books for them knows them.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonInput {
    /// A mobile number; Senegalese unless it says its country.
    #[schema(max_length = 32, example = "77 123 45 67")]
    #[serde(deserialize_with = "form::at_most::<32, _>")]
    pub phone: String,
    #[schema(value_type = Option<String>, max_length = 120)]
    pub name: Option<Name>,
    /// `fr`, `en` or `wo`: what their messages are written in.
    #[schema(value_type = Option<String>)]
    pub language: Option<Language>,
}

/// A person, shown in the clear.
#[derive(Serialize, ToSchema)]
#[schema(as = Client)]
pub struct PersonBody {
    pub id: Uuid,
    pub name: Option<String>,
    /// E.164; null when it is not known or was erased.
    pub phone: Option<String>,
}

impl PersonBody {
    /// Enough to know on the telephone that it is them, and not enough to call them.
    pub fn masked(self) -> Self {
        Self { id: self.id, name: self.name.as_deref().map(initials), phone: self.phone.as_deref().map(last_two) }
    }
}

/// `A. N.`
fn initials(name: &str) -> String {
    let first = name.split_whitespace().filter_map(|word| word.chars().next());
    first.map(|letter| format!("{letter}.")).collect::<Vec<_>>().join(" ")
}

/// The number but for its last two digits.
fn last_two(phone: &str) -> String {
    let hidden = phone.chars().count().saturating_sub(2);
    phone.chars().enumerate().map(|(at, digit)| if at < hidden { '•' } else { digit }).collect()
}

/// Who a reservation is for, and what is written to make them known.
pub struct Known {
    pub id: ClientId,
    pub decision: Decision,
}

/// Finds the client of a number, or decides to register one (decisions.md, People). `own` is the client who asks, when
/// it is the client who asks.
///
/// # Errors
/// `request.invalid_field` for what is no mobile number.
pub async fn known(call: &Call, person: &PersonInput, own: Option<ClientId>) -> Result<Known, Halt> {
    Ok(known_by(&call.app, person, own, call.actor()).await?)
}

/// Their number, as anybody would write it.
///
/// # Errors
/// `request.invalid_field` for what is no mobile number.
pub fn mobile_of(person: &PersonInput) -> Result<Phone, Problem> {
    phone::mobile(&person.phone)
        .map_err(|refused| Problem::new("request.invalid_field").at("/client/phone", refused.to_string()))
}

/// Somebody found by their number, or registered with it, whoever makes them known.
///
/// # Errors
/// As [`known`].
pub async fn known_by(app: &App, person: &PersonInput, own: Option<ClientId>, by: Actor) -> Result<Known, Problem> {
    let phone = mobile_of(person)?;
    let subjects = app.store.subjects();
    let phone_hash = subjects.hash_phone(&phone);
    let holder = app.store.holder_of(client::PHONE, &phone_hash.0).await?.map(ClientId::new);
    let id = match (holder, own) {
        (Some(holder), Some(own)) if holder != own => {
            return Err(Problem::new("request.invalid_field").at("/client/phone", "is not your number"));
        }
        (Some(holder), _) => return Ok(Known { id: holder, decision: Decision::nothing() }),
        (None, Some(own)) => own,
        (None, None) => ClientId::new(app.store.clock().new_id()),
    };
    let loaded: Loaded<Client> = match own {
        Some(_) => app.store.load(id).await?,
        None => Loaded::new(id),
    };
    if loaded.state.erased_at.is_some() {
        return Err(Problem::new("client.erased"));
    }
    let name = match &person.name {
        Some(name) => Some(subjects.seal(id.uuid(), field::NAME, name.as_str()).await?),
        None => None,
    };
    let sealed = subjects.seal(id.uuid(), field::PHONE, phone.e164()).await?;
    let person = Person { phone_hash, phone: sealed, name, language: person.language.unwrap_or_default() };
    Ok(Known { id, decision: client::register(&loaded, person, by, app.store.clock().now())? })
}

/// A client in the clear: for the client, and for whoever runs the site they play at. An erased one has no name and no
/// number.
///
/// # Errors
/// When the log or the keys cannot be read.
pub async fn shown(call: &Call, id: ClientId) -> Result<PersonBody, Problem> {
    let client: Loaded<Client> = call.app.store.load(id).await?;
    opened(call, &client).await
}

/// The same, of a client that is there already.
///
/// # Errors
/// When their key cannot be read.
pub async fn opened(call: &Call, client: &Loaded<Client>) -> Result<PersonBody, Problem> {
    let (id, subjects) = (client.id, call.app.store.subjects());
    let mut body = PersonBody { id: id.uuid(), name: None, phone: None };
    if let Some(name) = &client.state.name {
        body.name = subjects.open(id.uuid(), field::NAME, name).await?;
    }
    if let Some(phone) = &client.state.phone {
        body.phone = subjects.open(id.uuid(), field::PHONE, phone).await?;
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_masked_person_the_initials_and_two_digits_are_left() {
        let person =
            PersonBody { id: Uuid::nil(), name: Some("Awa  Ndiaye".into()), phone: Some("+221771234567".into()) };
        let masked = person.masked();
        assert_eq!((masked.name.as_deref(), masked.phone.as_deref()), (Some("A. N."), Some("•••••••••••67")));
        let nobody = PersonBody { id: Uuid::nil(), name: None, phone: None }.masked();
        assert!(nobody.name.is_none() && nobody.phone.is_none());
        assert_eq!((initials(""), last_two("7")), (String::new(), "7".to_owned()));
    }
}
