#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| kvnode::fuzzing::check("log_file", bytes));
