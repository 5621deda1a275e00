//! An endpoint as it is asked for, and as it is shown.

use domain::{
    aggregate::Loaded,
    endpoint::{Address, Endpoint},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{http::operation::Exemplary, shape::utc_text};

/// What is to be sent where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedEndpoint {
    /// `https://…`, on the public internet; in a test log `http://127.0.0.1:…` as well.
    #[schema(value_type = String, max_length = 500)]
    pub url: Address,
    /// Names of events, or all of a noun by `<noun>.*`. All when left out.
    pub types: Option<Vec<String>>,
    /// Only events of these sites, by id or slug.
    pub sites: Option<Vec<String>>,
}

impl Exemplary for WantedEndpoint {
    fn example() -> Value {
        json!({ "url": "https://boutique.example/kalel", "types": ["reservation.*", "payment.succeeded"] })
    }
}

/// Where events are sent.
#[derive(Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub struct EndpointBody {
    object: &'static str,
    id: Uuid,
    url: String,
    types: Vec<String>,
    sites: Option<Vec<Uuid>>,
    /// Whose it is.
    owner: Uuid,
    /// `enabled` or `disabled`.
    status: &'static str,
    /// Why nothing is sent: `gone` (it answered 410), `unreachable` (it took nothing for three days), `key_revoked`.
    disabled_reason: Option<&'static str>,
    disabled_at: Option<String>,
    /// Only in the answer that makes it: what the messages are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Until when the secret before signs beside the present one.
    older_secret_until: Option<String>,
    created_at: String,
    changed_at: String,
    pub(super) version: i32,
}

impl EndpointBody {
    /// `None` before it is added, and after it is removed.
    pub fn of(endpoint: &Loaded<Endpoint>, secret: Option<String>) -> Option<Self> {
        let settings = endpoint.state.there()?;
        let disabled = endpoint.state.disabled;
        Some(Self {
            object: "endpoint",
            id: endpoint.id.uuid(),
            url: settings.url.to_string(),
            types: settings.types.iter().map(|wanted| wanted.0.clone()).collect(),
            sites: settings.sites.as_ref().map(|sites| sites.iter().map(|site| site.uuid()).collect()),
            owner: settings.owner.uuid(),
            status: if disabled.is_some() { "disabled" } else { "enabled" },
            disabled_reason: disabled.map(|(why, _)| why.as_str()),
            disabled_at: disabled.map(|(_, at)| utc_text(at)),
            secret,
            older_secret_until: endpoint.state.older.map(|(_, until)| utc_text(until)),
            created_at: utc_text(settings.created_at),
            changed_at: utc_text(settings.changed_at),
            version: endpoint.version,
        })
    }
}

impl Exemplary for EndpointBody {
    fn example() -> Value {
        json!({
            "object": "endpoint", "id": "019ab2c4-5f00-7000-8000-0000000000e1",
            "url": "https://boutique.example/kalel", "types": ["payment.succeeded", "reservation.*"],
            "owner": "019ab2c4-5f00-7000-8000-0000000000c9", "status": "enabled", "secret": "whsec_…",
            "created_at": "2026-11-28T12:00:00Z", "changed_at": "2026-11-28T12:00:00Z", "version": 1,
        })
    }
}
