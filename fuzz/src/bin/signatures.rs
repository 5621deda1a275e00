//! Proofs of webhooks: whatever an adapter believes, the oracle believes, too; and what a provider really signs, both do.

#![no_main]

use chrono::DateTime;
use kalel_fuzz::{
    cases::{Case, Mode, T},
    events,
    keys::{KNOWN, Keys, UNKNOWN},
    oracle, signing,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::of(input) else { return };
    let keys = if case.mode == Mode::Stranger { UNKNOWN } else { KNOWN };
    let keys = Keys { sonatel_signing: keys.sonatel_signing.filter(|_| case.signed), ..keys };
    let origin = keys.origin(case.provider);
    let (headers, body, must) = match case.mode {
        Mode::Stranger | Mode::AsIs => (case.headers, case.body, false),
        Mode::Signed => {
            let (message, whole) = signing::sent(&case);
            // Those without a timestamp are good for ever.
            let in_time = case.now.abs_diff(T) <= 300 || case.provider > 1 || (case.provider == 1 && !case.signed);
            (message.headers, message.body, whole && message.plain && in_time)
        }
    };
    let Some(now) = DateTime::from_timestamp(case.now, 0) else { return };
    let verdict = origin.verify(&headers, &body, now);
    assert_eq!(verdict, origin.verify(&headers, &body, now), "verified twice, judged differently");
    let genuine = oracle::is_genuine(case.provider, &keys, &headers, &body, case.now);
    assert!(
        verdict.is_err() || genuine,
        "believed, and proves nothing: {headers:?} {:?}",
        String::from_utf8_lossy(&body)
    );
    assert!(!must || (verdict.is_ok() && genuine), "genuine, and {verdict:?}: {headers:?}");
    if verdict.is_ok() {
        events::read(case.provider, &origin, &headers, &body);
    }
});
