//! What the same word means in every body that is sent: its form, and what it is checked against beyond that.
//!
//! Types of the domain know nothing of OpenAPI, so a member's Rust type says little more than "a string". One word means one
//! thing here; so what a member may hold follows from its name, unless its own schema says it already.

use std::collections::BTreeMap;

use domain::site;
use serde_json::{Map, Value, json};

use super::parameters::NAME;

/// One line that people typed: something to be seen, no control characters.
const TEXT: &str = "^\\s*[^\\s\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]\
    [^\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]*$";
const SLUG: &str = "^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$";
const CLOCK: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const METHODS: &[&str] = &["wave", "orange_money", "yas", "card", "cash", "transfer", "on_account", "credit"];
const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What a body of this name must be, besides what each of its members is.
const TOGETHER: &[(&str, &str)] = &[
    ("PlaceReservation", "either `quote`, or `site_id`, `starts_at`, `minutes` and one of `pitch_id` and `format`"),
    ("MakeQuote", "either `pitch_id` or `format`"),
    ("AtGate", "either `ticket`, or `site_id` and `code`"),
    ("CheckIn", "either `code` or `ticket`"),
    ("Advance", "either `to`, later than now, or `seconds`; at most 400 days"),
    ("CreatePromotion", "either `amount` or `percent_basis_points`; of a service, with `site_id`"),
    ("TariffInput", "either `pitch` or `formats`; both dates or none"),
    ("SplitReservation", "either `shares` or `amounts`"),
];

/// The form of a member, by `Body.member` or, for every body, by `member`.
fn form(of: &str, member: &str) -> Option<Value> {
    let one_of = |choices: &[&str]| json!({ "enum": choices });
    Some(match (of, member) {
        ("CancelReservation", "reason") => one_of(&["client", "manager", "weather", "power_cut"]),
        ("Close", "reason") => one_of(&["maintenance", "weather", "power_cut", "tournament", "other"]),
        ("CreatePromotion", "code") => json!({ "pattern": "^[A-Za-z0-9]([A-Za-z0-9-]{1,30})[A-Za-z0-9]$" }),
        ("Explanation", "how") => {
            one_of(&["wait", "booked_next_day", "claimed_from_provider", "refunded_by_hand", "written_off"])
        }
        ("SplitReservation", "of") => one_of(&["balance", "full"]),
        (_, "share_id") => json!({ "format": "uuid" }),
        (_, "phone") => json!({ "format": "phone", "maxLength": 32 }),
        (_, "email") => json!({ "format": "email", "maxLength": 120 }),
        (_, "currency") => one_of(&["XOF", "EUR"]),
        (_, "method") => one_of(METHODS),
        (_, "language") => one_of(&["fr", "en", "wo"]),
        (_, "role") => {
            one_of(&["client", "gatekeeper", "cashier", "manager", "support", "finance", "admin", "auditor", "service"])
        }
        (_, "purpose") => one_of(&["deposit", "balance", "full", "difference", "debt"]),
        (_, "verdict") => one_of(&["uphold", "waive"]),
        (_, "flow") => one_of(&["platform_collects", "manager_collects"]),
        (_, "merchant_account" | "slug") => json!({ "pattern": SLUG, "maxLength": 60 }),
        (_, "opens" | "closes") => json!({ "pattern": CLOCK }),
        (_, "time_zone") => json!({ "format": "time-zone" }),
        (_, "url") => json!({ "pattern": "^https?://[!\"$-\\[\\]-~]+$", "maxLength": 500 }),
        // What somebody types is looked up as it is; a passphrase is whatever they like.
        (_, "promo_code") => json!({ "maxLength": 32 }),
        (_, "passphrase" | "new_passphrase") => json!({}),
        (_, "quote" | "ticket" | "code") => json!({ "maxLength": 4000 }),
        _ => return None,
    })
}

/// The form of what a list holds.
fn item(of: &str, member: &str) -> Option<Value> {
    Some(match (of, member) {
        (_, "days") => json!({ "enum": DAYS }),
        ("Close", "cells") | (_, "sites") => json!({ "pattern": NAME }),
        (_, "cells") => json!({ "pattern": SLUG }),
        (_, "formats") => json!({ "pattern": TEXT, "minLength": 1, "maxLength": 12 }),
        (_, "scopes") => json!({ "enum": SCOPES }),
        _ => return None,
    })
}

const SCOPES: &[&str] = &[
    "sites:read",
    "sites:write",
    "reservations:read",
    "reservations:write",
    "payments:read",
    "payments:write",
    "refunds:create",
    "refunds:approve",
    "reconciliations:write",
    "payouts:read",
    "payouts:write",
    "check_in",
    "events:read",
    "keys:write",
    "test_clock:write",
];

/// What a member is checked against beyond its form.
fn checked(of: &str, member: &str) -> Option<&'static str> {
    Some(match (of, member) {
        (_, "phone") => "the numbering plan of its country: a mobile, and a client's own",
        (_, "device_key") => "the points of the curve under which not everybody's signature is good",
        (_, "url") => "what is no address, or one with a name and password or with a fragment",
        (_, "pitch_id" | "pitch") => "the pitches of the site",
        (_, "format") => "the formats of the site",
        (_, "cells") => "the cells of the site",
        (_, "sites") => "the sites there are",
        (_, "currency") => "the currency of the site",
        (_, "minutes") => "the years 2000 to 2200, in which it must end",
        (_, "to") => "`from`, or the clock",
        (_, "during") => "itself: `to` after `from`",
        (_, "manager_id") => "the caller, who registers their own",
        ("Pay", "amount") => "the method: at a provider the amount is what is due",
        ("Pay", "share_id") => "`purpose`: a fine is paid whole",
        ("Pay", "client") => "the method: nobody spends the credit of others",
        ("PaymentWish", "method") => "`pays`: a method for money, none for `none`",
        ("Approval", "note") => "`approved`: needed to decline",
        ("RefundOutcome", "provider_id") => "`paid`: needed for what was paid",
        ("SetAccount", "method") => "the methods by which sites are paid",
        ("SetAccount", "account") => "the method: a mobile number, or an account",
        ("TariffInput", "last_date" | "first_date" | "formats") => "the other members",
        ("Register", "policy" | "profile") | ("SetPolicy", "policy") => "the platform's bounds",
        _ => return None,
    })
}

/// What the domain wrote down already, in the schemas of its events: the profile of a site, and its terms.
pub fn borrow(schemas: &mut BTreeMap<String, Value>) {
    for (event, member, name, bodies) in [
        ("site.registered", "profile", "Profile", &["Register"][..]),
        ("site.policy_set", "policy", "Policy", &["Register", "SetPolicy"][..]),
    ] {
        let shape = site::Event::SHAPES.iter().rfind(|shape| shape.name == event);
        let Some(Ok(document)) = shape
            .map(|shape| serde_json::from_str::<Value>(&shape.document.replace("#/$defs/", "#/components/schemas/")))
        else {
            continue;
        };
        for (name, schema) in document["$defs"].as_object().into_iter().flatten() {
            let schema = schemas.entry(name.clone()).or_insert_with(|| schema.clone());
            if name == "Profile" {
                // What is written down is whole; whoever sends one says what they know.
                schema["required"] = json!(["name", "country"]);
            }
        }
        for body in bodies {
            if let Some(schema) =
                schemas.get_mut(*body).and_then(|schema| schema.pointer_mut(&format!("/properties/{member}")))
            {
                let named = json!({ "$ref": format!("#/components/schemas/{name}") });
                let nullable = schema["type"].is_array();
                let checked = schema["x-checked"].take();
                *schema = if nullable { json!({ "oneOf": [named, { "type": "null" }] }) } else { named };
                schema["x-checked"] = checked;
            }
        }
    }
}

/// Gives the schema of a body that is sent what its members' names say.
pub fn fill(name: &str, schema: &mut Value) {
    if let Some((_, rule)) = TOGETHER.iter().find(|(of, _)| *of == name) {
        schema["x-checked"] = json!(rule);
    }
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (member, schema) in members {
        let Some(schema) = schema.as_object_mut() else { continue };
        if let Some(against) = checked(name, member) {
            schema.insert("x-checked".to_owned(), json!(against));
        }
        if is_string(schema) {
            let wanted = form(name, member)
                .or_else(|| schema.contains_key("maxLength").then(|| json!({ "pattern": TEXT, "minLength": 1 })));
            add(schema, wanted);
        } else if let Some(items) = schema.get_mut("items").and_then(Value::as_object_mut)
            && is_string(items)
        {
            add(items, item(name, member));
        }
    }
}

/// What the schema does not say already; with null among the choices where it may be null.
fn add(schema: &mut Map<String, Value>, wanted: Option<Value>) {
    if schema.contains_key("format") || schema.contains_key("pattern") || schema.contains_key("enum") {
        return;
    }
    let nullable = schema.get("type").is_some_and(Value::is_array);
    for (name, value) in wanted.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let mut value = value.clone();
        if let (true, "enum", Some(choices)) = (nullable, name.as_str(), value.as_array_mut()) {
            choices.push(Value::Null);
        }
        schema.entry(name.clone()).or_insert(value);
    }
}

/// A string, or a string that may be null.
fn is_string(schema: &Map<String, Value>) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_means_the_same_everywhere_and_what_a_schema_says_itself_stays() {
        let mut schema = json!({ "properties": {
            "phone": { "type": "string", "maxLength": 32 },
            "note": { "type": ["string", "null"], "maxLength": 500 },
            "currency": { "type": ["string", "null"] },
            "days": { "type": "array", "items": { "type": "string" } },
            "site_id": { "type": "string", "format": "uuid" },
        } });
        fill("Anything", &mut schema);
        let members = &schema["properties"];
        assert_eq!(members["phone"]["format"], "phone");
        assert!(members["phone"]["x-checked"].as_str().unwrap().contains("numbering plan"));
        assert_eq!(members["note"]["pattern"], TEXT);
        assert_eq!(members["currency"]["enum"], json!(["XOF", "EUR", null]));
        assert_eq!(members["days"]["items"]["enum"], json!(DAYS));
        assert!(members["site_id"].get("pattern").is_none());
    }

    #[test]
    fn every_role_and_scope_is_named() {
        use domain::{actor::Role, key::Scope};
        for scope in SCOPES {
            let read: Result<Scope, _> = serde_json::from_value(json!(scope));
            assert!(read.is_ok(), "{scope}");
        }
        for role in form("GrantKey", "role").unwrap()["enum"].as_array().unwrap() {
            let read: Result<Role, _> = serde_json::from_value(role.clone());
            assert!(read.is_ok(), "{role}");
        }
    }
}
