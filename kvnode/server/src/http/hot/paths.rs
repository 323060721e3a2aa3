//! Which key a path names. The router knows all paths; these are the four that stand before keys.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::http::dialect::{Dialect, PutBody};
use crate::http::routes;
use crate::settings::Settings;

/// A path of its own under the versioned prefix, with a name of its own in the metrics; the key of that name is rare.
const BATCH: &str = "batch";

#[derive(Debug)]
pub(super) struct Paths(Vec<Before>);

#[derive(Debug)]
struct Before {
    prefix: String,
    dialect: &'static Dialect,
    label: &'static str,
}

#[derive(Debug)]
pub(super) struct Named<'p> {
    pub(super) dialect: &'static Dialect,
    /// What metrics call the path.
    pub(super) label: &'static str,
    pub(super) key: Cow<'p, str>,
}

impl Paths {
    pub(super) fn new(settings: &Settings) -> Self {
        let all = routes::before_keys(settings);
        Self(all.map(|(prefix, mount)| Before { prefix, dialect: mount.dialect(), label: mount.key_label() }).collect())
    }

    /// None for paths that name no key, or not clearly one.
    pub(super) fn key<'p>(&self, path: &'p str) -> Option<Named<'p>> {
        let (before, key) = self.0.iter().find_map(|before| Some((before, path.strip_prefix(&before.prefix)?)))?;
        let is_one_segment = !key.is_empty() && !key.contains('/');
        let is_batch = key == BATCH && before.dialect.put == PutBody::Changes;
        if !is_one_segment || is_batch {
            return None;
        }
        let key = percent_decode_str(key).decode_utf8().ok()?;
        Some(Named { dialect: before.dialect, label: before.label, key })
    }
}
