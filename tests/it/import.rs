//! The sites that come with the program, in a real log.

use std::{collections::BTreeMap, path::Path};

use domain::aggregate::Loaded;
use domain::ids::{PrincipalId, SiteId};
use domain::site::{self, Site};
use domain::text::Name;
use eventstore::{Append, Meta, Store};
use kalel::import::{File, Imported, Owner, import};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{api::Api, world::World};

/// The file as it is in the repository, not as the importer reads it.
fn file() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sites.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn never_again_an_import_invents_coordinates() {
    let api = Api::new().await;
    let owner = Owner { manager: PrincipalId::new(api.principal("manager")), phone: None };
    import(&api.store, &File::included().unwrap(), &owner).await.unwrap();
    api.settle().await;
    let written = file();
    let (mut placed, mut nowhere) = (BTreeMap::new(), 0);
    for entry in written["sites"].as_array().unwrap() {
        let slug = entry["id"].as_str().unwrap();
        let folded = site(&api.store, slug).await.state.identity.unwrap().profile;
        let folded = folded.location.map_or(Value::Null, |point| json!({ "lat": point.lat(), "lon": point.lon() }));
        let shown = api.ask(Method::GET, &format!("/v1/sites/{slug}")).send().await.is(200).body;
        assert_eq!([&folded, &shown["location"]], [&entry["location"]; 2], "{slug}");
        assert_eq!(shown["footprint"], Value::Null, "{slug} has no outline in the file");
        if entry["location"].is_null() {
            nowhere += 1;
        } else {
            placed.insert(slug.to_owned(), entry["location"].clone());
        }
    }
    assert!(nowhere > 0 && placed.len() > 15, "{nowhere} without a place, {} with one", placed.len());
    // On the map are those whose place is known, where they are, and nobody else.
    let near = "/v1/sites?near=14.7,-17.4&radius_m=200000&limit=100";
    let found = api.ask(Method::GET, near).send().await.is(200).body;
    let found: BTreeMap<String, Value> = found["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| (hit["slug"].as_str().unwrap().to_owned(), hit["location"].clone()))
        .collect();
    assert_eq!(found, placed);
}

async fn site(store: &Store, slug: &str) -> Loaded<Site> {
    let id = store.holder_of(site::SLUG, slug).await.unwrap().unwrap();
    store.load(SiteId::new(id)).await.unwrap()
}

#[tokio::test]
async fn importing_twice_changes_nothing_not_even_what_a_manager_changed_since() {
    let world = World::new().await;
    let store = world.store().await;
    let owner = Owner { manager: PrincipalId::new(store.clock().new_id()), phone: None };
    let file = File::included().unwrap();
    assert_eq!(import(&store, &file, &owner).await.unwrap(), Imported { added: 23, kept: 0 });

    let be_sport = site(&store, "be-sport").await;
    let mut profile = be_sport.state.identity.clone().unwrap().profile;
    profile.name = Name::new("Be Sport, nouveau nom").unwrap();
    let decision = site::describe(&be_sport, profile.clone()).unwrap();
    store.append(Append::new(decision, Meta::system())).await.unwrap();
    let head = store.head().await.unwrap();

    assert_eq!(import(&store, &file, &owner).await.unwrap(), Imported { added: 0, kept: 23 });
    assert_eq!(store.head().await.unwrap(), head, "not one event more");
    assert_eq!(site(&store, "be-sport").await.state.identity.unwrap().profile, profile);
    store.close().await;
}
