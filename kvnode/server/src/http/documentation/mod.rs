//! The interface, described for programs (`/openapi.json`) and shown to people (`/docs`, `/redoc`). Everything the pages
//! need is in the program: they work where there is no internet, and tell nobody that they are read.

mod files;
mod openapi;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::answer::JSON;
use super::problem::Problem;
use crate::shared::Shared;
use files::{Page, REDOC, SWAGGER_UI, has, tag_of};

pub(super) const PATTERNS: [&str; 5] = ["/openapi.json", "/docs", "/docs/{file}", "/redoc", "/redoc/{file}"];

/// The document as text, made when it is first asked for.
#[derive(Debug)]
struct Description {
    shared: Arc<Shared>,
    text: OnceLock<String>,
}

pub(super) fn routes(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let [document, docs, docs_file, redoc, redoc_file] = PATTERNS;
    let description = Arc::new(Description { shared: Arc::clone(shared), text: OnceLock::new() });
    Router::new()
        .route(document, get(openapi))
        .route(docs, get(|headers: HeaderMap| async move { SWAGGER_UI.html.answer(&headers) }))
        .route(
            docs_file,
            get(|name: Path<String>, headers: HeaderMap| async move { file(&SWAGGER_UI, &name, &headers) }),
        )
        .route(redoc, get(|headers: HeaderMap| async move { REDOC.html.answer(&headers) }))
        .route(redoc_file, get(|name: Path<String>, headers: HeaderMap| async move { file(&REDOC, &name, &headers) }))
        .with_state(description)
}

fn file(page: &'static Page, name: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    match page.file(name) {
        Some(file) => Ok(file.answer(headers)),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "NoSuchPath", "The page has no such file.")),
    }
}

/// C22: the server it names is the one it was asked of, under the name that the client uses for it.
async fn openapi(State(description): State<Arc<Description>>, headers: HeaderMap) -> Response {
    let text = description.text.get_or_init(|| openapi::document(&description.shared.settings).to_string());
    let rest = text.strip_suffix('}').expect("the document is an object");
    let text =
        format!("{rest},\"servers\":{}}}", json!([{"url": server(&headers, description.shared.live().tls.is_some())}]));
    let tag = tag_of(text.as_bytes());
    let common = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("Host, X-Forwarded-Proto")),
        (header::ETAG, tag.clone()),
    ];
    if has(&headers, &tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, JSON)], text).into_response()
}

/// Relative to the document when the client does not say whom it asks.
fn server(headers: &HeaderMap, tls: bool) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = host else { return "/".to_owned() };
    let https = tls || headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    format!("{}://{host}", if https { "https" } else { "http" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_whom_the_client_asked() {
        let asked = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)));
            server(&pairs.collect(), false)
        };
        assert_eq!(asked(&[("host", "localhost:3000")]), "http://localhost:3000");
        assert_eq!(asked(&[("host", "kv.example"), ("x-forwarded-proto", "https")]), "https://kv.example");
        assert_eq!(asked(&[]), "/");
        let host = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("localhost"))]);
        assert_eq!(server(&host, true), "https://localhost");
        assert_eq!(asked(&[("host", "a b\"c")]), "/");
    }
}
