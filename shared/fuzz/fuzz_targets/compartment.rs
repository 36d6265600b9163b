//! Fuzz target: bytes from the network as `compartment`; the body is a plain function of the library, which a test runs over the seeds.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wardgate_shared_fuzz::compartment(data));
