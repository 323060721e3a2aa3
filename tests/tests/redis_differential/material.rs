//! What steps are made of: keys, values, numbers and times, at the edges of what is allowed and beyond.

/// The keys of all commands: some in one slot, some with blanks or letters beyond ASCII, and the longest there may be.
pub(crate) const KEYS: [&str; 14] = [
    "a",
    "b",
    "c",
    "n",
    "{t}a",
    "{t}b",
    "{t}c",
    "{t}n",
    "{t}m",
    "two words",
    "schlüssel:ß",
    "{}a",
    "a{",
    "{t}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
     xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
     xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// Those that are in one slot.
pub(crate) const OF_ONE_SLOT: [usize; 6] = [4, 5, 6, 7, 8, 13];

pub(crate) fn is_of_the_one_slot(key: &[u8]) -> bool {
    OF_ONE_SLOT.iter().any(|&number| KEYS[number].as_bytes() == key)
}

pub(crate) const VALUES: [&[u8]; 20] = [
    b"",
    b"0",
    b"1",
    b"10",
    b"-7",
    b"3.0",
    b"2.50",
    b"1e3",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b" 5",
    b"+5",
    b"05",
    b"inf",
    b"value",
    b"two\r\nlines",
    b"{\"json\": [1, 2]}",
    b"\x00\x01\xff\xfe",
    b"Hello World, this is a longer value of some fifty bytes",
];

pub(crate) const INTEGERS: [&str; 12] = [
    "0",
    "1",
    "-1",
    "2",
    "-3",
    "7",
    "100",
    "-100",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775806",
    "5000000000",
];

pub(crate) const FLOATS: [&str; 22] = [
    "1",
    "0",
    "-1",
    "0.1",
    "0.2",
    "-3.5",
    "1.5",
    "100",
    "1e3",
    "1.25e-5",
    "3.0",
    "1e17",
    "1e18",
    "-1e-17",
    "1e-20",
    "123456789.987654321",
    "0.30000000000000004",
    "5.0e3",
    "1e300",
    "inf",
    "nan",
    "+2",
];

/// In the place of a number. None of them is a time that would be over while the steps are played.
pub(crate) const NO_NUMBERS: [&str; 13] = [
    "abc",
    "",
    "-1",
    "0",
    "1.5",
    "+100000",
    "0100000",
    " 100000",
    "100000 ",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999999",
    "0x186a0",
];

/// So far away that they are not over while the steps are played, and so far from each other that one is never taken
/// for another, even after some seconds were added to each. Some are no times at all.
pub(crate) const SECONDS: [&str; 9] =
    ["100", "1000", "50000", "3000000", "0", "-1", "9223372036854775", "9223372036854775807", "-9223372036854775808"];
pub(crate) const MILLIS: [&str; 8] =
    ["100000", "1000999", "50000500", "3000000000", "0", "-1", "9223372036854775807", "-9223372036854775808"];

/// Moments that are the same on both sides, whenever they are set.
pub(crate) const SECOND: [&str; 3] = ["4102444800", "3000000000", "2500000001"];
pub(crate) const MILLI: [&str; 3] = ["4102444800123", "3000000000999", "2500000000500"];
pub(crate) const PAST: [&str; 4] = ["1", "1000000000", "0", "-5"];

pub(crate) const PATTERNS: [&str; 12] =
    ["*", "a*", "{t}*", "?", "[a-c]", "[^a]", "*words", "\\{t}*", "sch*", "[", "", "a\\"];
