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
    let owner = Owner { manager: PrincipalId::new(new_id()), phone: None };
    let mut sites = BTreeMap::new();
    for entry in File::included().unwrap().sites {
        let decision = decide(&entry, SiteId::new(new_id()), &owner, &mut new_id).unwrap();
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
fn never_again_an_import_invents_coordinates() {
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
    let owner = Owner { manager: PrincipalId::new(new_id()), phone: None };
    let error = decide(&entry, SiteId::new(new_id()), &owner, &mut new_id);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("be-sport") && text.contains("hours") && text.contains("8 o'clock"), "{text}");
    let unknown = r#"{"sites": [], "sitez": []}"#;
    assert!(serde_json::from_str::<File>(unknown).is_err());
}

#[test]
fn every_field_of_the_file_is_in_the_site_and_nothing_else() {
    for entry in File::included().unwrap().sites {
        let site = &imported()[&entry.id];
        let identity = site.identity.as_ref().unwrap();
        assert_eq!(identity.slug.as_str(), entry.id);
        assert_eq!((identity.time_zone, identity.currency), (entry.time_zone, entry.currency));
        let profile = &identity.profile;
        let texts = |all: &[domain::text::Note]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(profile.name.as_str(), entry.name);
        assert_eq!(profile.address.as_ref().map(|text| text.as_str()), entry.address.as_deref());
        assert_eq!(profile.city.as_ref().map(|text| text.as_str()), entry.city.as_deref());
        assert_eq!(profile.surface.as_ref().map(|text| text.as_str()), entry.surface.as_deref());
        assert_eq!((profile.area_m2, profile.capacity_players), (entry.area_m2, entry.capacity_players));
        assert_eq!((texts(&profile.house_rules), texts(&profile.notes)), (entry.house_rules, entry.notes));
        assert_eq!(profile.payment_methods, entry.payment_methods);
        assert_eq!(site.cells.iter().map(|cell| cell.slug.to_string()).collect::<Vec<_>>(), entry.cells);
        assert_eq!(site.cells_are_modelled, entry.cells_are_modelled.unwrap_or(false));
        assert_eq!(site.pitches.len(), entry.pitches.len());
        for (pitch, wanted) in site.pitches.iter().zip(&entry.pitches) {
            assert_eq!((pitch.slug.as_str(), pitch.name.as_str()), (wanted.id.as_str(), wanted.name.as_str()));
            assert_eq!(pitch.format.as_str(), wanted.format);
            let slug = |id| site.cells.iter().find(|cell| cell.id == id).unwrap().slug.to_string();
            assert_eq!(pitch.cells.iter().copied().map(slug).collect::<Vec<_>>(), wanted.cells);
        }
        assert_eq!(
            (site.hours.weekly.len(), site.hours.declared),
            (entry.hours.len(), entry.hours_are_declared == Some(true))
        );
        assert_eq!(site.tariffs.rules.len(), entry.tariffs.len());
        for (tariff, wanted) in site.tariffs.rules.iter().zip(&entry.tariffs) {
            let band = tariff.band.map(|band| [band.opens, band.closes].map(|time| time.format("%H:%M").to_string()));
            assert_eq!(band, wanted.from.clone().zip(wanted.to.clone()).map(|(from, to)| [from, to]));
            assert_eq!((tariff.price.amount, tariff.minutes), (wanted.price, wanted.minutes));
            assert_eq!(tariff.days.len(), wanted.days.len());
        }
    }
}

/// What a pitch costs from an instant on, or why it cannot be booked.
fn price(site: &str, pitch: &str, from: &str, minutes: u32) -> Result<i64, site::Refusal> {
    let state = imported().remove(site).unwrap();
    let pitch = state.pitches.iter().find(|found| found.slug.as_str() == pitch).unwrap().id;
    let site = Loaded { id: SiteId::new(Uuid::nil()), version: 9, state };
    let during = domain::interval::Interval::lasting(from.parse().unwrap(), minutes).unwrap();
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let (_, price) = site::offer(&site, pitch, during, domain::reservation::Channel::Online, now)?;
    Ok(price.total.amount)
}

#[test]
fn prices_are_what_the_sites_say_or_none_at_all() {
    // 2026-11-28 is a Saturday.
    assert_eq!(price("fara-foot", "8x8", "2026-11-28T08:00:00Z", 60), Ok(30_000));
    assert_eq!(price("fara-foot", "8x8", "2026-11-29T00:30:00Z", 90), Ok(60_000), "16:00 to 06:00");
    assert!(price("fara-foot", "8x8", "2026-11-28T15:00:00Z", 60).is_err(), "closed from 15:00 to 16:00");
    assert_eq!(price("sowfoot", "8x8", "2026-11-29T18:00:00Z", 90), Ok(35_000));
    assert!(price("sowfoot", "8x8", "2026-11-29T18:00:00Z", 60).is_err(), "sold by 90 minutes on Sundays");
    assert_eq!(price("sowfoot", "5x5-1", "2026-11-28T18:00:00Z", 90), Ok(30_000));
    assert!(price("sowfoot", "5x5-1", "2026-11-30T18:00:00Z", 90).is_err(), "no 5x5 tariff on Mondays");
    assert_eq!(price("temple-du-foot", "camp-nou", "2026-11-28T17:30:00Z", 60), Ok(37_500), "18:00 in the middle");
    assert_eq!(price("stade-municipal-hlm", "11x11", "2026-11-28T23:30:00Z", 90), Ok(112_500), "closes at one");
    assert!(price("stade-municipal-hlm", "11x11", "2026-11-27T23:00:00Z", 90).is_err(), "Friday closes at eleven");
    assert!(price("be-sport", "grand-nord", "2026-11-28T18:00:00Z", 60).is_err(), "the halves have no tariff");
    assert!(price("terrain-ngb", "11x11", "2026-11-28T18:00:00Z", 60).is_err(), "no price is known");
    assert!(matches!(price("thia", "8x8", "2026-11-28T18:00:00Z", 60), Err(site::Refusal::Suspended { .. })));
}
