//! Ground, hours, tariffs and terms: what contradicts itself is refused, what is already so is nothing to do.

use chrono::{NaiveDate, Weekday};
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    contract::{Contract, Flow},
    guard::{self, Op},
    ids::{CellId, PitchId, TariffId},
    money::{Currency, Money},
    policy::{BasisPoints, Policy},
    refusal::Refused,
    site::{
        AppliesTo, Cell, ContractSet, DateRange, Described, Event, HoursSet, Invalid, OpeningRule, PolicySet, Profile,
        Refusal, Registered, Registration, Resumed, Site, Suspended, Tariff, TariffsSet, describe, register, resume,
        set_contract, set_day, set_ground, set_hours, set_policy, set_tariffs, suspend,
    },
    spec::{
        example::{self, EVERY_DAY, MANAGER, NORTH, NORTH_CELL, SITE, SOUTH, pitch, tariff, window},
        given, load,
        world::person,
    },
    text::{Note, Slug, Text},
};

fn id(number: u128) -> TariffId {
    TariffId::new(Uuid::from_u128(number))
}

fn admin() -> Actor {
    person(Role::Admin, 5)
}

fn now() -> Timestamp {
    example::at("2026-11-23 09:00")
}

fn rule(days: &[Weekday], opens: &str, closes: &str) -> OpeningRule {
    let window = window(opens, closes);
    OpeningRule { days: days.to_vec(), opens: window.opens, closes: window.closes }
}

fn invalid(site: &Loaded<Site>, tariffs: Vec<Tariff>) -> Option<Invalid> {
    match set_tariffs(site, tariffs) {
        Err(Refusal::Invalid(invalid)) => Some(invalid),
        Err(other) => panic!("{other:?}"),
        Ok(_) => None,
    }
}

#[test]
fn a_site_is_registered_once() {
    let wanted = || Registration {
        slug: Slug::new("example").unwrap(),
        manager_id: MANAGER,
        time_zone: chrono_tz::Africa::Dakar,
        currency: Currency::Xof,
        profile: example::profile(),
    };
    given::<Site>(SITE, [] as [Event; 0])
        .when(|site| register(site, wanted()))
        .then([example::registered("Africa/Dakar")]);
    given::<Site>(SITE, example::history()).when(|site| register(site, wanted())).then_nothing();
    given::<Site>(SITE, example::history())
        .when(|site| register(site, Registration { currency: Currency::Eur, ..wanted() }))
        .then_refused(Refusal::AlreadyRegistered);
}

#[test]
fn nothing_is_set_on_a_site_that_does_not_exist() {
    let nowhere = Loaded::<Site>::new(SITE);
    let refused = Err(Refusal::Unknown);
    assert_eq!(describe(&nowhere, example::profile()), refused);
    assert_eq!(set_ground(&nowhere, vec![], vec![], false), refused);
    assert_eq!(set_hours(&nowhere, vec![], true), refused);
    assert_eq!(set_tariffs(&nowhere, vec![]), refused);
    assert_eq!(set_policy(&nowhere, Policy::default()), refused);
    assert_eq!(set_contract(&nowhere, Contract::default(), admin(), now()), refused);
    assert_eq!(resume(&nowhere), refused);
}

#[test]
fn a_profile_may_leave_out_where_it_is_but_not_contradict_itself() {
    let moved = Profile { surface: Some(Text::new("sand").unwrap()), ..example::profile() };
    given::<Site>(SITE, example::history())
        .when(|site| describe(site, moved.clone()))
        .then([Event::from(Described { site_id: SITE, profile: moved.clone() })]);
    given::<Site>(SITE, example::history()).when(|site| describe(site, example::profile())).then_nothing();
    for area_m2 in [Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)] {
        let profile = Profile { area_m2, ..example::profile() };
        assert_eq!(describe(&example::site(), profile), Err(Invalid::Area.into()));
    }
    let profile = Profile { country: Text::new("sn").unwrap(), ..example::profile() };
    assert_eq!(describe(&example::site(), profile), Err(Invalid::Country.into()));
}

#[test]
fn a_pitch_lies_on_cells_of_its_own_site() {
    let cells = || vec![Cell { id: NORTH_CELL, slug: Slug::new("north").unwrap() }];
    let set = |pitches| set_ground(&example::site(), cells(), pitches, false).map(|_| ());
    let stranger = CellId::new(Uuid::from_u128(0xBAD));
    assert_eq!(set(vec![pitch(NORTH, "n", "5x5", &[stranger], 0)]), Err(Invalid::UnknownCell(stranger).into()));
    assert_eq!(set(vec![pitch(NORTH, "n", "5x5", &[], 0)]), Err(Invalid::PitchWithoutCells(NORTH).into()));
    let twice = vec![pitch(NORTH, "n", "5x5", &[NORTH_CELL], 0), pitch(SOUTH, "n", "5x5", &[NORTH_CELL], 0)];
    assert_eq!(set(twice), Err(Invalid::Twice { what: "pitch", id: "n".to_owned() }.into()));
    assert!(set(vec![pitch(NORTH, "n", "5x5", &[NORTH_CELL], 241)]).is_err());
}

#[test]
fn cells_and_pitches_belong_to_one_site_for_good() {
    let ops = guard::of(&example::ground(0).into());
    let holder = SITE.uuid();
    assert!(ops.contains(&Op::Unique { scope: "site.cell", key: NORTH_CELL.to_string(), holder }));
    assert!(ops.contains(&Op::Unique { scope: "site.pitch", key: NORTH.to_string(), holder }));
    assert_eq!(ops.len(), 5);
}

#[test]
fn opening_windows_do_not_overlap_not_even_from_sunday_into_monday() {
    let set = |weekly| set_hours(&example::site(), weekly, true).map(|_| ());
    let overlap = Err(Invalid::HoursOverlap.into());
    assert_eq!(set(vec![rule(&EVERY_DAY, "08:00", "12:00"), rule(&[Weekday::Mon], "11:30", "13:00")]), overlap);
    assert_eq!(set(vec![rule(&[Weekday::Sun], "20:00", "03:00"), rule(&[Weekday::Mon], "02:00", "10:00")]), overlap);
    assert_eq!(set(vec![rule(&[Weekday::Mon, Weekday::Mon], "08:00", "10:00")]), overlap);
    assert_eq!(set(vec![rule(&EVERY_DAY, "08:00", "15:00"), rule(&EVERY_DAY, "16:00", "06:00")]), Ok(()));
    assert_eq!(set(vec![rule(&EVERY_DAY, "00:00", "00:00")]), Ok(()));
    assert_eq!(set(vec![rule(&[], "08:00", "10:00")]), Err(Invalid::NoDays.into()));
    let closed: Event = HoursSet { site_id: SITE, weekly: vec![], declared: true }.into();
    given::<Site>(SITE, example::history()).when(|site| set_hours(site, vec![], true)).then([closed]);
}

#[test]
fn hours_that_nobody_knows_and_hours_set_to_closed_are_two_things() {
    let set: Event = HoursSet { site_id: SITE, weekly: vec![], declared: false }.into();
    let bare = || [example::registered("Africa/Dakar")];
    given::<Site>(SITE, bare()).when(|site| set_hours(site, vec![], false)).then([set.clone()]);
    given::<Site>(SITE, bare().into_iter().chain([set])).when(|site| set_hours(site, vec![], false)).then_nothing();
}

#[test]
fn a_site_in_euros_begins_with_terms_in_euros() {
    let Event::Registered(registered) = example::registered("Europe/Paris") else { panic!("registered") };
    let site = load::<Site>(SITE, [Event::from(Registered { currency: Currency::Eur, ..registered })]);
    assert_eq!(site.state.policy().check(Currency::Eur), Ok(()));
}

#[test]
fn a_dated_exception_is_set_changed_and_taken_back() {
    let tabaski = NaiveDate::from_ymd_opt(2027, 5, 16).unwrap();
    let mut site = example::site();
    let closed = set_day(&site, tabaski, Some(vec![]), None).unwrap();
    crate::spec::apply(&mut site, &closed);
    assert_eq!(site.state.hours.on(chrono_tz::Africa::Dakar, tabaski), []);
    assert_eq!(site.state.hours.version, 5);
    assert!(set_day(&site, tabaski, Some(vec![]), None).unwrap().is_nothing());
    let overlapping = vec![window("08:00", "12:00"), window("11:00", "13:00")];
    assert_eq!(set_day(&site, tabaski, Some(overlapping), None), Err(Invalid::HoursOverlap.into()));
    let back = set_day(&site, tabaski, None, None).unwrap();
    crate::spec::apply(&mut site, &back);
    assert_eq!(site.state.hours.on(chrono_tz::Africa::Dakar, tabaski).len(), 1);
    assert!(set_day(&site, tabaski, None, None).unwrap().is_nothing());
    let never = NaiveDate::MAX;
    assert_eq!(set_day(&site, never, Some(vec![]), None), Err(Invalid::Date(never).into()));
}

#[test]
fn two_tariffs_of_one_rank_never_price_the_same_minute() {
    let site = example::site();
    let ambiguous = Some(Invalid::Ambiguous { first: id(1), second: id(2) });
    let both = |change: fn(&mut Tariff), other: fn(&mut Tariff)| {
        let (mut first, mut second) = (tariff(id(1), AppliesTo::Site, 1), tariff(id(2), AppliesTo::Site, 2));
        change(&mut first);
        other(&mut second);
        invalid(&site, vec![first, second])
    };
    assert_eq!(both(|_| {}, |_| {}), ambiguous);
    assert_eq!(both(|t| t.days = vec![Weekday::Mon], |t| t.days = vec![Weekday::Tue]), None);
    assert_eq!(both(|t| t.days = vec![Weekday::Mon], |_| {}), ambiguous);
    assert_eq!(both(|t| t.band = Some(window("08:00", "18:00")), |t| t.band = Some(window("18:00", "08:00"))), None);
    assert_eq!(
        both(|t| t.band = Some(window("22:00", "02:00")), |t| t.band = Some(window("01:00", "08:00"))),
        ambiguous
    );
    assert_eq!(
        both(|t| t.band = Some(window("00:00", "00:00")), |t| t.band = Some(window("01:00", "08:00"))),
        ambiguous
    );
    assert_eq!(both(|t| t.applies_to = AppliesTo::Pitch(NORTH), |_| {}), None, "more specific wins");
    let formats = |names: &[&str]| AppliesTo::Formats(names.iter().map(|name| Text::new(name).unwrap()).collect());
    let some = vec![tariff(id(1), formats(&["5x5", "8x8"]), 1), tariff(id(2), formats(&["8x8"]), 2)];
    assert_eq!(invalid(&site, some), ambiguous);
}

#[test]
fn dated_tariffs_contend_only_on_a_date_they_share() {
    let site = example::site();
    let date = |day| NaiveDate::from_ymd_opt(2026, 12, day).unwrap();
    let dated = |number, first, last, days: &[Weekday]| Tariff {
        dates: Some(DateRange { first: date(first), last: date(last) }),
        days: days.to_vec(),
        ..tariff(id(number), AppliesTo::Site, 1)
    };
    // 2026-12-05 is a Saturday.
    let saturdays = &[Weekday::Sat][..];
    assert_eq!(invalid(&site, vec![dated(1, 1, 4, saturdays), dated(2, 1, 4, &[])]), None);
    let ambiguous = Some(Invalid::Ambiguous { first: id(1), second: id(2) });
    assert_eq!(invalid(&site, vec![dated(1, 1, 5, saturdays), dated(2, 5, 9, &[])]), ambiguous);
    // The first shared Saturday is the fifth day they share.
    assert_eq!(invalid(&site, vec![dated(1, 1, 9, saturdays), dated(2, 1, 9, &[])]), ambiguous);
    assert_eq!(invalid(&site, vec![dated(1, 5, 4, &[])]), Some(Invalid::DatesReversed { tariff_id: id(1) }));
}

#[test]
fn a_tariff_is_for_a_pitch_of_the_site_in_its_currency() {
    let site = example::site();
    let stranger = PitchId::new(Uuid::from_u128(0xBAD));
    let foreign = tariff(id(1), AppliesTo::Pitch(stranger), 1);
    assert_eq!(invalid(&site, vec![foreign]), Some(Invalid::UnknownPitch { tariff_id: id(1), pitch_id: stranger }));
    let wrong = |price| Tariff { price, ..tariff(id(1), AppliesTo::Site, 1) };
    for price in [Money::new(1, Currency::Eur), Money::xof(-1), Money::xof(1_000_000_001)] {
        assert!(matches!(invalid(&site, vec![wrong(price)]), Some(Invalid::Price { .. })));
    }
    let minutes = Tariff { minutes: 0, ..tariff(id(1), AppliesTo::Site, 1) };
    assert!(matches!(invalid(&site, vec![minutes]), Some(Invalid::TariffMinutes { .. })));
}

#[test]
fn a_pitch_with_a_tariff_of_its_own_cannot_disappear_under_it() {
    let tariffs = vec![tariff(id(1), AppliesTo::Pitch(NORTH), 1)];
    let set: Event = TariffsSet { site_id: SITE, tariffs }.into();
    let site = load::<Site>(SITE, example::history().into_iter().chain([set]));
    let refused = set_ground(&site, vec![], vec![], false);
    assert_eq!(refused, Err(Invalid::UnknownPitch { tariff_id: id(1), pitch_id: NORTH }.into()));
}

#[test]
fn terms_are_checked_and_set_once() {
    let policy = Policy { hold_seconds: 5, lead_minutes: 0, ..Policy::default() };
    let set: Event = PolicySet { site_id: SITE, policy: policy.clone() }.into();
    given::<Site>(SITE, example::history()).when(|site| set_policy(site, policy.clone())).then([set]);
    given::<Site>(SITE, example::history()).when(|site| set_policy(site, Policy::default())).then_nothing();
    let never = Policy { hold_seconds: 0, ..Policy::default() };
    assert!(matches!(set_policy(&example::site(), never), Err(Refusal::Policy(_))));
}

#[test]
fn a_contract_is_set_once_and_nobody_s_but_an_admin_s() {
    let contract = |basis_points| Contract {
        flow: Flow::ManagerCollects,
        commission: BasisPoints(basis_points),
        merchant_account: None,
    };
    let set = || Event::from(ContractSet { site_id: SITE, contract: contract(10_000), by: admin(), at: now() });
    let with = || example::history().into_iter().chain([set()]).collect::<Vec<_>>();
    assert_eq!(load::<Site>(SITE, example::history()).state.contract(), Contract::default());
    assert_eq!(load::<Site>(SITE, with()).state.contract(), contract(10_000));
    given::<Site>(SITE, example::history())
        .when(|site| set_contract(site, contract(10_000), admin(), now()))
        .then([set()]);
    given::<Site>(SITE, with()).when(|site| set_contract(site, contract(10_000), admin(), now())).then_nothing();
    given::<Site>(SITE, example::history())
        .when(|site| set_contract(site, Contract::default(), admin(), now()))
        .then_nothing();
    let refused = |contract, by| set_contract(&example::site(), contract, by, now()).unwrap_err();
    for role in [Role::Manager, Role::Finance, Role::Service, Role::System, Role::Client] {
        let no = refused(contract(0), person(role, 1));
        assert_eq!((&no, no.code()), (&Refusal::RoleNotAllowed { role }, "site.role_not_allowed"));
    }
    let nameless = refused(contract(0), Actor { role: Role::Admin, id: None });
    assert_eq!((&nameless, nameless.code()), (&Refusal::NameRequired, "site.name_required"));
    let through = Some(Slug::new("terrains-de-fatou").unwrap());
    let ours = refused(Contract { merchant_account: through.clone(), ..Contract::default() }, admin());
    assert_eq!((&ours, ours.code()), (&Invalid::MerchantAccount.into(), "site.merchant_account"));
    let theirs = Contract { merchant_account: through, ..contract(500) };
    assert!(set_contract(&example::site(), theirs, admin(), now()).is_ok());
    let more = refused(contract(10_001), admin());
    assert_eq!((&more, more.code()), (&Invalid::Commission { most: 10_000 }.into(), "site.commission"));
    assert_eq!(more.rule().map(|rule| (rule.name, rule.value)), Some(("largest_commission", "10000".to_owned())));
}

#[test]
fn a_suspended_site_is_resumed() {
    let reason = || Note::new("to be checked").unwrap();
    let suspended: Event = Suspended { site_id: SITE, reason: reason() }.into();
    let with = |more: &Event| example::history().into_iter().chain([more.clone()]).collect::<Vec<_>>();
    given::<Site>(SITE, example::history()).when(|site| suspend(site, reason())).then([suspended.clone()]);
    given::<Site>(SITE, with(&suspended)).when(|site| suspend(site, reason())).then_nothing();
    given::<Site>(SITE, with(&suspended)).when(resume).then([Event::from(Resumed { site_id: SITE })]);
    given::<Site>(SITE, example::history()).when(resume).then_nothing();
}
