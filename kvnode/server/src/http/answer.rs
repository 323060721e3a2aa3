//! How answers look: media types, tags, and what clients wish to be given.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::value::Kind;
use serde::Serialize;

use super::conditions::etag;

pub(super) const JSON: &str = "application/json";
pub(super) const BYTES: &str = "application/octet-stream";
pub(super) const LINES: &str = "application/x-ndjson";

pub(super) fn media_type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Json => JSON,
        Kind::Bytes => BYTES,
    }
}

/// For answers that are small whatever was asked.
pub(super) fn json<T: Serialize>(body: &T) -> Response {
    axum::Json(body).into_response()
}

pub(super) fn tagged(mut response: Response, version: Version) -> Response {
    let tag = HeaderValue::try_from(etag(version)).expect("digits in quotes are a header's value");
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// Whether a client names this media type among those it takes; that it takes all does not say that it wants this one.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    accepted
        .flat_map(|line| line.split(','))
        .any(|range| range.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type))
}

pub(super) fn wants_minimal(headers: &HeaderMap) -> bool {
    let preferred = headers.get_all("prefer").iter().filter_map(|line| line.to_str().ok());
    preferred.flat_map(|line| line.split([',', ';'])).any(|wish| wish.trim().eq_ignore_ascii_case("return=minimal"))
}
