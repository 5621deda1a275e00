//! Everything that is known of a person, as they take it away: all of theirs, and nothing of anybody else.

use domain::{actor::Actor, aggregate::Loaded, client::Client, ids::ClientId};
use serde_json::{Value, json};

use crate::{
    api::{Api, slot},
    credit::{rich, write},
};

#[tokio::test]
async fn an_export_holds_everything_about_its_client_and_nothing_about_another() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    // Two games, money left over, and a fine.
    let id = rich(&api, &site, 12_000).await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["payment"] = json!({ "method": "credit", "pays": "deposit" });
    let second = api.post("client", "/v1/reservations", body).await.is(201).text("/id").to_owned();
    // Somebody else's game on the same ground, by the manager.
    let mut other = slot(&site, "nord", api.midday(5), 60);
    other["client"] = json!({ "phone": "76 999 88 77", "name": "Moussa Zwexquine" });
    let theirs = api.post("manager", "/v1/reservations", other).await.is(201).text("/id").to_owned();
    api.settle().await;
    let export = api.get("client", &format!("/v1/clients/{id}/export")).await.is(200);
    let whole = export.body.to_string();
    assert_eq!(export.header("cache-control"), "no-store");
    assert!(export.header("content-disposition").starts_with("attachment"));
    let client: Loaded<Client> = api.store.load(id).await.unwrap();
    assert_eq!((export.text("/client/name"), export.text("/client/phone")), ("Awa", "+221771234567"));
    assert_eq!(export.body["balance"]["credit"][0]["amount"], 3_000);
    let list = |name: &str| export.body[name].as_array().unwrap().clone();
    let reservations = list("reservations");
    assert_eq!(reservations.len(), 2);
    assert!(reservations.iter().any(|one| one["id"] == *second));
    let paid: i64 = reservations.iter().filter_map(|one| one["received"]["amount"].as_i64()).sum();
    assert_eq!(paid, 30_000 + 9_000);
    assert!(reservations.iter().all(|one| !one["payments"].as_array().unwrap().is_empty()));
    let versions: Vec<&Value> = export.body["events"].as_array().unwrap().iter().collect();
    assert_eq!(versions.len(), usize::try_from(client.version).unwrap());
    assert!(!whole.contains(&theirs) && !whole.contains("Zwexquine") && !whole.contains("769998877"));
    // Nobody else gets it, whatever they may see of the client otherwise.
    let stranger = api.store.clock().new_id();
    api.get("client", &format!("/v1/clients/{stranger}/export")).await.problem(404, "object.not_found");
    for role in ["manager", "service", "admin", "auditor", "finance"] {
        api.get(role, &format!("/v1/clients/{id}/export")).await.problem(403, "auth.role_forbidden");
    }
}

#[tokio::test]
async fn a_person_who_was_forgotten_is_nobody_to_be_exported() {
    let api = Api::new().await;
    let id = ClientId::new(api.principal("client"));
    api.get("client", &format!("/v1/clients/{id}/export")).await.problem(404, "object.not_found");
    let (site, _) = api.site().await;
    let client = rich(&api, &site, 0).await;
    let loaded: Loaded<Client> = api.store.load(client).await.unwrap();
    write(&api, domain::client::erase(&loaded, 0, true, Actor::SYSTEM, api.store.clock().now()).unwrap()).await;
    api.store.subjects().forget(client.uuid());
    api.settle().await;
    let export = api.get("client", &format!("/v1/clients/{client}/export")).await.is(200);
    let whole = export.body.to_string();
    assert_eq!((&export.body["client"]["name"], &export.body["client"]["phone"]), (&Value::Null, &Value::Null));
    assert!(!whole.contains("Awa") && !whole.contains("771234567"));
}
