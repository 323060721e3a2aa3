//! What holds for all inputs, in whatever pieces they arrive.

use proptest::collection::vec;
use proptest::prelude::*;

use super::sample::{BOUNDS, encode};
use super::*;
use crate::resp::any_bytes;

type Words = Vec<Vec<u8>>;

fn hear<'p>(pieces: impl IntoIterator<Item = &'p [u8]>, bounds: &Bounds) -> (Vec<Words>, Option<ProtocolError>) {
    any_bytes::hear(pieces, bounds, |_| ())
}

fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 5_000..20_000),
        2 => Just(b"\r\n$1\r\n*".to_vec()),
    ]
}

fn command() -> impl Strategy<Value = Words> {
    vec(word(), 1..6)
}

/// Bytes with much in them that looks like the protocol.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let shreds: [&[u8]; 16] = [
        b"*",
        b"$",
        b"\r\n",
        b"\r",
        b"\n",
        b"*3\r\n",
        b"$3\r\n",
        b"GET",
        b"-1",
        b"0",
        b"1",
        b"99999999999",
        b"\"",
        b"'",
        b" ",
        b"\\x",
    ];
    let shred = prop_oneof![
        4 => proptest::sample::select(shreds.to_vec()).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..4),
    ];
    vec(shred, 0..40).prop_map(|shreds| shreds.concat())
}

/// Each byte by its number.
fn in_quotes(word: &[u8]) -> String {
    word.iter().fold("\"".to_owned(), |quoted, byte| format!("{quoted}\\x{byte:02x}")) + "\""
}

/// Cuts at the given places, taken as parts of the whole.
fn cut<'b>(bytes: &'b [u8], places: &[prop::sample::Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    places.push(bytes.len());
    let mut begun = 0;
    places.into_iter().map(|end| &bytes[std::mem::replace(&mut begun, end)..end]).collect()
}

proptest! {
    #[test]
    fn a_command_is_read_as_it_was_written(words in command()) {
        prop_assert_eq!(hear([&*encode(&words)], &BOUNDS), (vec![words], None));
    }

    #[test]
    fn a_pipeline_gives_the_same_commands_as_its_parts(
        commands in vec(command(), 0..12),
        places in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes: Vec<u8> = commands.iter().flat_map(|words| encode(words)).collect();
        prop_assert_eq!(hear(cut(&bytes, &places), &BOUNDS), (commands, None));
    }

    #[test]
    fn any_bytes_give_the_same_however_they_are_cut(
        bytes in noise(),
        places in vec(any::<prop::sample::Index>(), 0..8),
        stranger in any::<bool>(),
    ) {
        let bounds = if stranger { BOUNDS.for_strangers() } else { BOUNDS };
        let whole = hear([&*bytes], &bounds);
        prop_assert_eq!(hear(cut(&bytes, &places), &bounds), whole.clone());
        prop_assert_eq!(hear(bytes.chunks(1), &bounds), whole);
    }

    #[test]
    fn inline_words_in_quotes_are_read_as_they_were_written(words in vec(vec(any::<u8>(), 0..20), 1..5)) {
        let quoted: Vec<String> = words.iter().map(|word| in_quotes(word)).collect();
        // `encode` would make an array of it; this is the line that means the same.
        let line = format!("{}\r\n", quoted.join(" "));
        prop_assert_eq!(hear([line.as_bytes()], &BOUNDS), (vec![words], None));
    }

    #[test]
    fn no_more_is_asked_for_than_a_command_needs(words in command(), place in any::<prop::sample::Index>()) {
        let bytes = encode(&words);
        let have = place.index(bytes.len());
        let parsed = Reader::new().read(&bytes[..have], 0, &BOUNDS, &mut Arena::new());
        let Parsed::Incomplete { more } = parsed else { panic!("{parsed:?} from {have} of {} bytes", bytes.len()) };
        prop_assert!(more <= bytes.len() - have);
    }
}

#[test]
fn a_pipeline_over_16_kb_is_read_the_same_split_at_every_byte() {
    let value = vec![b'v'; 600];
    let commands: Vec<Words> =
        (0..30).map(|number| vec![b"SET".to_vec(), format!("key:{number}").into_bytes(), value.clone()]).collect();
    let bytes: Vec<u8> = commands.iter().flat_map(|words| encode(words)).collect();
    assert!(bytes.len() > 16 * 1024);
    for place in 0..=bytes.len() {
        let (before, after) = bytes.split_at(place);
        assert_eq!(hear([before, after], &BOUNDS), (commands.clone(), None), "split at {place}");
    }
}
