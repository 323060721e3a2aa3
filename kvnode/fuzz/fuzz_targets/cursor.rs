#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kvnode::fuzzing::check("cursor", bytes));
