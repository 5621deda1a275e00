//! Where an answer leads (OpenAPI Link objects): from what was made or shown to everything that can be done with it. They
//! follow from the rows: what says `"object": "reservation"` leads to each operation under `/v1/reservations/{id}`.

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::http::operation::Operation;

/// The links of an operation's answer, by the id of the operation they lead to.
pub fn of<'a>(operation: &Operation, all: impl Iterator<Item = &'a Operation> + Clone) -> Map<String, Value> {
    let mut links = Map::new();
    let Some(shape) = operation.success.shape else { return links };
    let example = (shape.example)();
    let row = example.pointer("/data/0");
    let (thing, at) = row.map_or((&example, ""), |row| (row, "/data/0"));
    let mut add = |target: &Operation, pointer: String| {
        let link = json!({
            "operationId": target.id,
            "description": target.summary,
            "parameters": { "id": format!("$response.body#{pointer}") },
        });
        links.entry(target.id).or_insert(link);
    };
    for (member, pointer, object) in mentioned(thing, at) {
        let of_it = format!("/v1/{object}s/{{id}}");
        let only_show = member || operation.success.status == 200 && row.is_some();
        for target in all.clone().filter(|target| target.id != operation.id && target.path_names().count() == 1) {
            let shows = target.method == Method::GET && target.path == of_it;
            let acts =
                target.path.strip_prefix(of_it.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if shows || !only_show && acts {
                add(target, pointer.clone());
            }
        }
    }
    // A quote is what a reservation is made from.
    if operation.id == "quote.make" && all.clone().any(|target| target.id == "reservation.place") {
        links.insert(
            "reservation.place".to_owned(),
            json!({
                "operationId": "reservation.place",
                "description": "Reserve at the price that was quoted",
                "requestBody": { "quote": "$response.body#/quote" },
            }),
        );
    }
    links
}

/// What an answer speaks of: whether only in passing, where its id is, and what it is.
fn mentioned(thing: &Value, at: &str) -> Vec<(bool, String, String)> {
    let mut found = Vec::new();
    let Some(members) = thing.as_object() else { return found };
    if let (Some(object), Some(true)) = (thing["object"].as_str(), members.get("id").map(Value::is_string)) {
        found.push((false, format!("{at}/id"), object.to_owned()));
    }
    for (name, value) in members {
        if let (Some(object), true) = (name.strip_suffix("_id"), value.is_string()) {
            found.push((true, format!("{at}/{name}"), object.to_owned()));
        }
        if let (Some(object), true) = (value["object"].as_str(), value["id"].is_string()) {
            found.push((true, format!("{at}/{name}/id"), object.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(id: &str) -> Map<String, Value> {
        let operation = crate::operations().find(|operation| operation.id == id).unwrap();
        of(operation, crate::operations())
    }

    #[test]
    fn what_was_reserved_leads_to_all_that_can_be_done_with_it() {
        let links = links("reservation.place");
        for id in
            ["reservation.show", "reservation.pay", "reservation.cancel", "reservation.ticket", "reservation.history"]
        {
            let at = links.get(id).and_then(|link| link["parameters"]["id"].as_str());
            assert_eq!(at, Some("$response.body#/id"), "{id}: {:?}", links.keys());
        }
        assert_eq!(links["payment.show"]["parameters"]["id"], "$response.body#/payment/id");
        assert_eq!(links["site.show"]["parameters"]["id"], "$response.body#/site_id");
    }

    #[test]
    fn a_payment_leads_to_its_refund_and_a_list_to_what_is_in_it() {
        assert!(links("payment.show").contains_key("payment.refund"));
        assert_eq!(links("reservation.list")["reservation.show"]["parameters"]["id"], "$response.body#/data/0/id");
        assert_eq!(links("quote.make")["reservation.place"]["requestBody"]["quote"], "$response.body#/quote");
    }
}
