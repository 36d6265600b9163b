#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wardgate_shared_fuzz::pkce(data));
