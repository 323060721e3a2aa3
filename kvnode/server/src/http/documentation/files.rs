//! The files of the pages, as they are embedded: two programs compressed, as almost every browser takes them, and the few
//! lines that start them. `assets/fetch` brings the programs.

use std::io::Read;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

/// A page loads nothing from anywhere else, whatever the programs in it would like to.
const ONLY_FROM_HERE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// Kept by browsers, and asked after each time: an answer without a body is enough until the node is another version.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

#[derive(Debug)]
pub(super) struct File {
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
    compressed: bool,
    tag: LazyLock<HeaderValue, fn() -> HeaderValue>,
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) html: &'static File,
    files: &'static [File],
}

macro_rules! file {
    ($name:literal, $media_type:expr, $path:literal) => {
        file!($name, $media_type, $path, false)
    };
    ($name:literal, $media_type:expr, $path:literal, $compressed:literal) => {
        File {
            name: $name,
            media_type: $media_type,
            content: include_bytes!($path),
            compressed: $compressed,
            tag: LazyLock::new(|| tag_of(include_bytes!($path))),
        }
    };
}

static SWAGGER_UI_HTML: File = file!("", HTML, "swagger-ui.html");
static SWAGGER_UI_FILES: [File; 4] = [
    file!("start.js", SCRIPT, "swagger-ui.js"),
    file!("swagger-ui-bundle.js", SCRIPT, "assets/swagger-ui-bundle.js.gz", true),
    file!("swagger-ui.css", STYLE, "assets/swagger-ui.css.gz", true),
    file!("swagger-ui-bundle.js.LICENSE.txt", TEXT, "assets/swagger-ui-bundle.js.LICENSE.txt.gz", true),
];
static REDOC_HTML: File = file!("", HTML, "redoc.html");
static REDOC_FILES: [File; 3] = [
    file!("start.js", SCRIPT, "redoc.js"),
    file!("redoc.standalone.js", SCRIPT, "assets/redoc.standalone.js.gz", true),
    file!("redoc.standalone.js.LICENSE.txt", TEXT, "assets/redoc.standalone.js.LICENSE.txt.gz", true),
];

pub(super) static SWAGGER_UI: Page = Page { html: &SWAGGER_UI_HTML, files: &SWAGGER_UI_FILES };
pub(super) static REDOC: Page = Page { html: &REDOC_HTML, files: &REDOC_FILES };

impl Page {
    pub(super) fn file(&self, name: &str) -> Option<&'static File> {
        self.files.iter().find(|file| file.name == name)
    }
}

impl File {
    pub(super) fn answer(&'static self, asked: &HeaderMap) -> Response {
        let common = [
            (header::CACHE_CONTROL, ASK_AGAIN),
            (header::CONTENT_SECURITY_POLICY, ONLY_FROM_HERE),
            (header::X_CONTENT_TYPE_OPTIONS, NO_SNIFFING),
            (header::ETAG, self.tag.clone()),
            (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        ];
        if has(asked, &self.tag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let form = [(header::CONTENT_TYPE, self.media_type)];
        if !self.compressed {
            return (common, form, self.content).into_response();
        }
        if takes_gzip(asked) {
            return (common, form, [(header::CONTENT_ENCODING, "gzip")], self.content).into_response();
        }
        (common, form, Bytes::from(unpacked(self.content))).into_response()
    }
}

/// Of the content, in quotes.
pub(super) fn tag_of(content: &[u8]) -> HeaderValue {
    const SHOWN_BYTES: usize = 12;
    let hash = Sha256::digest(content);
    let digits = hash[..SHOWN_BYTES].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    HeaderValue::try_from(format!("\"{digits}\"")).expect("digits in quotes are a header's value")
}

/// Whether the client has the file already.
pub(super) fn has(asked: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let mut tags = known.flat_map(|tags| tags.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let taken = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    taken.flat_map(|line| line.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

fn unpacked(compressed: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(compressed).read_to_end(&mut content).expect("what is embedded was compressed whole");
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = &'static File> {
        [&SWAGGER_UI, &REDOC].into_iter().flat_map(|page| page.files.iter().chain([page.html]))
    }

    #[test]
    fn every_file_is_whole() {
        for file in all() {
            let content = if file.compressed { unpacked(file.content) } else { file.content.to_vec() };
            assert!(content.len() > 50 && std::str::from_utf8(&content).is_ok(), "{file:?}");
        }
    }

    /// C23, C24: what the pages load is named relative to them, and is here.
    #[test]
    fn pages_name_no_other_host_and_only_files_that_are_there() {
        for (page, folder) in [(&SWAGGER_UI, "docs/"), (&REDOC, "redoc/")] {
            let html = std::str::from_utf8(page.html.content).expect("UTF-8");
            assert!(!html.contains("//"), "a page names another host");
            let named = html.split('"').skip(1).step_by(2).filter_map(|text| text.strip_prefix(folder));
            let named: Vec<&str> = named.collect();
            assert!(!named.is_empty());
            for name in named {
                assert!(page.file(name).is_some(), "{folder}{name} is not there");
            }
        }
    }

    /// A program that fetched a picture or a font from elsewhere would be held back by the policy; that it does not even
    /// try is part of what is fetched.
    #[test]
    fn redoc_is_without_its_picture_from_elsewhere() {
        let file = REDOC.file("redoc.standalone.js").expect("it is there");
        let text = String::from_utf8(unpacked(file.content)).expect("UTF-8");
        assert!(!text.contains("cdn.") && !text.contains("fonts.googleapis"));
    }

    #[test]
    fn gzip_is_given_to_those_who_take_it() {
        let takes = |line: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(line))]))
        };
        assert!(takes("gzip, deflate, br") && takes("br, GZIP;q=0.5"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
    }
}
