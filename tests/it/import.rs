//! The sites that come with the program, in a real log.

use domain::aggregate::Loaded;
use domain::ids::{PrincipalId, SiteId};
use domain::site::{self, Site};
use domain::text::Name;
use eventstore::{Append, Meta, Store};
use kalel::import::{File, Imported, Owner, import};

use crate::world::World;

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
