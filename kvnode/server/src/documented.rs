//! Parts of pages that are written from the code, so that they never say anything else.

use std::path::Path;

/// Compares the part of a page under `docs/` that has this name; `WRITE=1` puts it there instead. The test that calls
/// this is named in the page, for whoever wants to change it.
pub(crate) fn section(page: &str, name: &str, test: &str, expected: &str) {
    let begin = format!("<!-- {name}: WRITE=1 cargo test -p kvnode --lib {test} -->\n");
    let end = format!("<!-- end of {name} -->");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let text = std::fs::read_to_string(&path).expect("the page is there");
    let (before, rest) = text.split_once(&begin).expect("the part begins somewhere");
    let (found, behind) = rest.split_once(&end).expect("the part ends somewhere");
    if std::env::var_os("WRITE").is_some_and(|write| write == "1") {
        std::fs::write(&path, [before, &begin, expected, &end, behind].concat()).expect("room on the disk");
        return;
    }
    assert_eq!(found, expected, "run WRITE=1 cargo test -p kvnode --lib {test}");
}
