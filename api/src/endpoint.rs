//! Endpoints: where events are sent as they happen, as Standard Webhooks, and how that went.

mod body;
mod change;
mod create;
mod deliveries;
mod keys;
mod ping;
mod remove;
mod replay;
mod rotate;
mod show;

use domain::{
    actor::Role,
    aggregate::Loaded,
    endpoint::{self, Endpoint, Settings, Wish},
    ids::{EndpointId, SiteId},
    key::{Key, Scope},
};
use uuid::Uuid;

use crate::{
    http::{
        call::{Call, Object},
        operation::{Authz, Operation, Over},
    },
    problem::Problem,
    reservation::not_found_if_other,
};

pub const OPERATIONS: &[&Operation] = &[
    &create::CREATE,
    &show::LIST,
    &show::SHOW,
    &change::CHANGE,
    &remove::REMOVE,
    &rotate::ROTATE,
    &deliveries::LIST,
    &replay::REPLAY,
    &ping::PING,
    &keys::KEYS,
];

/// Whoever runs something outside that follows along; theirs alone.
const OWNERS: Authz = Authz::Keys {
    scope: Scope::WebhooksWrite,
    roles: &[(Role::Service, Over::Own), (Role::Manager, Over::Own), (Role::Admin, Over::All)],
};

impl Call {
    /// The endpoint of the path, if the caller may touch it and it is there.
    ///
    /// # Errors
    /// `object.not_found`.
    async fn own_endpoint(&self) -> Result<(Loaded<Endpoint>, Settings), Problem> {
        let id = EndpointId::new(self.uuid("id")?);
        let endpoint: Loaded<Endpoint> = self.app.store.load(id).await.map_err(not_found_if_other)?;
        let settings = endpoint.state.there().cloned().ok_or_else(|| Problem::new("object.not_found"))?;
        let nowhere = Object::of_site(SiteId::new(Uuid::nil()), None);
        self.may_touch(&Object { client: Some(settings.owner.uuid()), ..nowhere })?;
        Ok((endpoint, settings))
    }

    /// The key that asks: its rights are the endpoint's. Whoever is signed in has none that lasts.
    fn own_key(&self) -> Result<&Loaded<Key>, Problem> {
        self.caller.key().ok_or_else(|| Problem::new("endpoint.may_not_read"))
    }

    /// What is asked for, with sites by their ids; what may never be called is refused at once.
    async fn wish(&self, body: body::WantedEndpoint) -> Result<Wish, Problem> {
        let mut sites = None;
        if let Some(names) = &body.sites {
            let mut found: Vec<SiteId> = Vec::new();
            for (index, name) in names.iter().enumerate() {
                let unknown = |_| Problem::new("request.invalid_field").at(format!("/sites/{index}"), "is not a site");
                found.push(self.site_named(name).await.map_err(unknown)?);
            }
            sites = Some(found);
        }
        let types = body.types.unwrap_or_default().into_iter().map(endpoint::Wanted).collect();
        Ok(Wish { url: body.url, types, sites })
    }
}

/// Whether an address may be called, after the rules have been asked.
fn callable(call: &Call, wish: &Wish) -> Result<(), Problem> {
    let checked = adapters::egress::check(wish.url.as_str(), call.app.is_test());
    checked.map(drop).map_err(|_| Problem::new("endpoint.not_public").at("/url", "is not on the public internet"))
}
