//! What somebody sees of a reservation that they may read: support masked, a gatekeeper today's.

use chrono::TimeDelta;
use domain::actor::Role;
use serde_json::{Value, json};

use crate::api::{Api, slot};

#[tokio::test]
async fn support_knows_a_client_by_initials_and_two_digits() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["client"] = json!({ "phone": "77 123 45 67", "name": "Awa Ndiaye" });
    let booked = api.post("manager", "/v1/reservations", body).await.is(201);
    api.settle().await;
    let path = format!("/v1/reservations/{}?expand[]=client", booked.text("/id"));
    let known = json!({ "id": booked.text("/client_id"), "name": "Awa Ndiaye", "phone": "+221771234567" });
    let masked = json!({ "id": booked.text("/client_id"), "name": "A. N.", "phone": "•••••••••••67" });
    assert_eq!(api.get("manager", &path).await.is(200).body["client"], known);
    assert_eq!(api.get("support", &path).await.is(200).body["client"], masked);
    let list = api.get("support", "/v1/reservations?expand[]=client").await.is(200);
    assert_eq!(list.body["data"][0]["client"], masked);
    for role in ["finance", "admin", "auditor"] {
        assert_eq!(api.get(role, &path).await.is(200).body["client"], Value::Null, "{role} knows people by id");
    }
}

#[tokio::test]
async fn a_gatekeeper_sees_the_games_of_today_at_their_site_and_no_others() {
    let mut api = Api::new().await;
    let (site, _) = api.site().await;
    let (other, _) = api.site().await;
    api.grant("gatekeeper", Role::Gatekeeper, Some(vec![site.parse().unwrap()])).await;
    // In the morning of the day of the first game.
    let (noon, tomorrow) = (api.midday(2), api.midday(3));
    let mut games = Vec::new();
    for (site, start) in [(&site, noon), (&site, tomorrow), (&other, noon)] {
        let made = api.post("manager", "/v1/reservations", slot(site, "nord", start, 60)).await.is(201);
        games.push(made.text("/id").to_owned());
    }
    api.store.clock().advance_to(noon - TimeDelta::hours(3)).await.unwrap();
    api.settle().await;
    let seen = async || {
        let list = api.get("gatekeeper", "/v1/reservations?sort=starts_at").await.is(200);
        let rows = list.body["data"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, [games[0].clone()]);
    for (game, status) in games.iter().zip([200, 404, 404]) {
        for what in ["", "/history", "/ticket"] {
            let answer = api.get("gatekeeper", &format!("/v1/reservations/{game}{what}")).await;
            assert_eq!(answer.status, status, "{what}: {}", answer.body);
        }
    }
    // The next morning it is the other way round; a cashier plans ahead.
    api.store.clock().advance_to(tomorrow - TimeDelta::hours(3)).await.unwrap();
    assert_eq!(seen().await, [games[1].clone()]);
    api.grant("cashier", Role::Cashier, Some(vec![site.parse().unwrap()])).await;
    let all = api.get("cashier", "/v1/reservations").await.is(200);
    assert_eq!(all.body["data"].as_array().unwrap().len(), 2);
}
