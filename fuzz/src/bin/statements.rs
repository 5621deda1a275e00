//! Statements of providers as files: read wholly or not at all, and no franc that is not written there.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some((provider, file)) = input.split_first() {
        adapters::fuzzing::statement(*provider, file);
    }
});
