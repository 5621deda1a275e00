//! Answers of providers: no success without an amount that is written there, none about another reference.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some(([provider, kind], body)) = input.split_first_chunk::<2>() {
        adapters::fuzzing::answer(*provider, *kind, body);
    }
});
