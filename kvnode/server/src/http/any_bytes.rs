//! What becomes of any bytes on the HTTP port, without a node behind it.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kvnode_core::store::limits::Limits;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime;

use super::problem::Problem;
use super::query::Query;
use super::{batch, envelope, hot};

/// More than any answer to an input here; what is longer waits until it is read.
const PIPE_BYTES: usize = 64 * 1024;

/// A request as it is understood: method, path and query, headers that are kept, body.
pub(super) type Understood = (http::Method, String, HeaderMap, Vec<u8>);

/// The short way reads heads itself. What it takes for a request, the general way must take for the same request, or two
/// of them could be hidden in one.
pub(crate) fn head(bytes: &[u8]) {
    let (short, rest_is_general) = hot::any_bytes::requests(bytes);
    if short.is_empty() {
        return;
    }
    let general = understood_by_hyper(bytes);
    assert!(general.len() >= short.len(), "{short:?} and then {general:?}");
    assert!(rest_is_general || general.len() == short.len(), "{short:?} is all, but {general:?}");
    for ((method, path, headers, body), (method_there, path_there, headers_there, body_there)) in
        short.iter().zip(&general)
    {
        assert_eq!((method, path, body), (method_there, path_there, body_there));
        for name in headers.keys() {
            let (here, there) = (headers.get_all(name), headers_there.get_all(name));
            assert!(here.iter().eq(there.iter()), "{name}: {here:?}, but {there:?}");
        }
    }
}

fn understood_by_hyper(bytes: &[u8]) -> Vec<Understood> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: http::Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await else { return Err("the body is not whole") };
            let target = parts.uri.path_and_query().map_or(String::new(), ToString::to_string);
            let understood = (parts.method, target, parts.headers, body.to_bytes().to_vec());
            seen.lock().expect("nobody panicked").push(understood);
            Ok(http::Response::new(Empty::<bytes::Bytes>::new()))
        }
    });
    let talk = async {
        let (mut client, server) = duplex(PIPE_BYTES);
        let serving = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(server), service);
        let (mut answers, mut asking) = tokio::io::split(&mut client);
        let ask = async {
            // An end that comes early is seen in what was understood.
            let _ = asking.write_all(bytes).await;
            let _ = asking.shutdown().await;
        };
        let listen = async {
            let mut all = Vec::new();
            let _ = answers.read_to_end(&mut all).await;
        };
        let ((), (), _) = tokio::join!(ask, listen, serving);
    };
    runtime::Builder::new_current_thread().build().expect("a runtime").block_on(talk);
    Arc::into_inner(seen).expect("the service is gone").into_inner().expect("nobody panicked")
}

/// A path and a query: the key that the short way finds, and the parameters.
pub(crate) fn target(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (path, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    if let Some(key) = hot::any_bytes::key_of(path) {
        let segment = path.rsplit('/').next().unwrap_or_default();
        assert!(percent_decode_str(segment).eq(key.bytes()), "{path} is not about {key:?}");
    }
    match Query::parse_repeating(query, &["ttl", "raw", "limit", "tag"], "tag") {
        Ok(query) => {
            let _ = query.get("ttl").map(str::len);
            sentence(query.number("limit").err());
            sentence(query.truth("raw").err());
            assert!(query.all("limit").count() <= 1);
        }
        Err(problem) => sentence(Some(problem)),
    }
}

/// Every shape a body may have. The same bytes are tried as each of them.
pub(crate) fn bodies(bytes: &[u8]) {
    let limits = Limits::default();
    let refusals = [
        envelope::envelope(bytes, &limits).err(),
        envelope::changes(bytes, &limits).err(),
        envelope::item(bytes, &limits).err(),
        batch::items(bytes).err(),
    ];
    for refusal in refusals {
        sentence(refusal);
    }
    match envelope::bare(bytes, &limits) {
        Ok(value) => assert_eq!(value.content(), bytes.trim_ascii(), "a value keeps every character"),
        Err(problem) => sentence(Some(problem)),
    }
}

/// A refusal is a sentence of bounded length, whatever it quotes.
fn sentence(problem: Option<Problem>) {
    const CHARS_MAX: usize = 2100;
    let Some(problem) = problem else { return };
    let sentence = problem.into_sentence();
    assert!(!sentence.is_empty() && sentence.chars().count() <= CHARS_MAX, "{sentence}");
}
