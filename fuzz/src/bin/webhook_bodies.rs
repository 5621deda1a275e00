//! Bodies of webhooks, of each provider and as anybody's: whatever is read off them can be used.

#![no_main]

use kalel_fuzz::{cases, events, keys::KNOWN};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((provider, headers, body)) = cases::message(input) else { return };
    events::read(provider, &KNOWN.origin(provider), &headers, body);
});
