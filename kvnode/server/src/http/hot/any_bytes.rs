//! What the short way makes of any bytes.

use std::sync::LazyLock;

use super::head::{self, Begin};
use super::paths::Paths;
use crate::http::any_bytes::Understood;
use crate::settings::machine::Machine;
use crate::settings::{Request, resolve};

static PATHS: LazyLock<Paths> = LazyLock::new(|| {
    let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
    match resolve(["kvnode", "--tenant", "dev"].map(Into::into), &|_: &str| None, &machine) {
        Ok(Request::Run(settings)) => Paths::new(&settings),
        other => panic!("no good settings: {other:?}"),
    }
});

/// All requests that it would take, and whether it leaves something to the general way.
pub(in crate::http) fn requests(mut bytes: &[u8]) -> (Vec<Understood>, bool) {
    let mut taken = Vec::new();
    loop {
        let head = match head::read(bytes) {
            Begin::Hot(head) => head,
            Begin::Incomplete => return (taken, false),
            Begin::General => return (taken, true),
        };
        let Some(body) = bytes.get(head.body.clone()) else { return (taken, false) };
        let target = head.query.map_or(head.path.to_owned(), |query| format!("{}?{query}", head.path));
        taken.push((head.method, target, head.headers, body.to_vec()));
        bytes = &bytes[head.body.end..];
    }
}

/// The key that a path names.
pub(in crate::http) fn key_of(path: &str) -> Option<String> {
    PATHS.key(path).map(|named| named.key.into_owned())
}
