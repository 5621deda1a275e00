//! What the included file becomes.

use std::collections::BTreeMap;

use super::*;

/// Every included site as the rules see it after the import.
fn imported() -> BTreeMap<String, Site> {
    let mut last = 0_u128;
    let mut new_id = || {
        last += 1;
        Uuid::from_u128(last)
    };
    let manager = PrincipalId::new(new_id());
    let mut sites = BTreeMap::new();
    for entry in File::included().unwrap().sites {
        let decision = decide(&entry, SiteId::new(new_id()), manager, &mut new_id).unwrap();
        assert_eq!(decision.changes.len(), 1, "one stream a site");
        assert_eq!(decision.changes[0].expected, 0);
        let mut site = Site::default();
        for event in decision.changes[0].events.clone() {
            site.evolve(Site::select(event).unwrap());
        }
        sites.insert(entry.id, site);
    }
    sites
}

#[test]
fn every_site_of_the_file_is_accepted_by_the_rules() {
    let sites = imported();
    assert_eq!(sites.len(), 23);
    let be_sport = &sites["be-sport"];
    assert_eq!(be_sport.cells.len(), 5);
    assert_eq!(be_sport.pitches.len(), 4);
    assert_eq!(be_sport.tariffs.rules.len(), 3);
    assert!(sites.values().all(|site| site.contact.is_none()), "nobody's phone is invented");
}

#[test]
fn import_that_invents_coordinates() {
    for entry in File::included().unwrap().sites {
        let site = &imported()[&entry.id];
        assert_eq!(site.identity.as_ref().unwrap().profile.location, entry.location, "{}", entry.id);
    }
    assert!(imported().values().any(|site| site.identity.as_ref().unwrap().profile.location.is_none()));
}

#[test]
fn a_site_whose_data_contradict_themselves_is_listed_but_not_bookable() {
    let suspended: Vec<_> = imported().into_iter().filter(|(_, site)| site.suspended.is_some()).collect();
    assert_eq!(suspended.len(), 1);
}

#[test]
fn a_fixed_deposit_is_taken_over_and_no_deposit_means_the_default() {
    let fixed = |site: &Site| matches!(site.terms.policy.deposit, domain::policy::DepositRule::Fixed { amount } if amount.amount == 10_000);
    assert_eq!(imported().values().filter(|site| fixed(site)).count(), 1);
}

#[test]
fn a_wrong_field_is_named() {
    let mut entry = File::included().unwrap().sites[0].clone();
    entry.hours[0].opens = "8 o'clock".into();
    let mut last = 0_u128;
    let mut new_id = || {
        last += 1;
        Uuid::from_u128(last)
    };
    let error = decide(&entry, SiteId::new(new_id()), PrincipalId::new(new_id()), &mut new_id);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("be-sport") && text.contains("hours") && text.contains("8 o'clock"), "{text}");
    let unknown = r#"{"sites": [], "sitez": []}"#;
    assert!(serde_json::from_str::<File>(unknown).is_err());
}
