//! Cursors come back from clients: as text over HTTP, as a number in SCAN.

use kvnode_core::store::cursor::Cursor;

pub(super) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(cursor) = Cursor::from_text(&text) {
        assert_eq!(cursor.to_string(), text, "there is one way to write it");
        assert_eq!(Cursor::from_number(cursor.number()), Some(cursor));
    }
    if let Ok(number) = text.parse::<u64>()
        && let Some(cursor) = Cursor::from_number(number)
    {
        assert_eq!(cursor.number(), number);
        assert_eq!(Cursor::from_text(&cursor.to_string()), Some(cursor));
    }
}
