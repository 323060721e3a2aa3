//! The three kinds of PATCH in short words, under the limits that values have in production.

use kvnode_core::patch::{Patch, PatchError, PatchKind, PatchLimits};

pub(crate) const LIMITS: PatchLimits = PatchLimits { bytes_max: 2 * 1024 * 1024, depth_max: 128 };

pub(crate) type Patched = Result<String, PatchError>;

pub(crate) fn shallow(stored: &str, body: &str) -> Patched {
    patched(PatchKind::Shallow, Some(stored), body)
}

pub(crate) fn merge(stored: &str, body: &str) -> Patched {
    patched(PatchKind::Merge, Some(stored), body)
}

pub(crate) fn operate(stored: &str, body: &str) -> Patched {
    patched(PatchKind::Operations, Some(stored), body)
}

pub(crate) fn patched(kind: PatchKind, stored: Option<&str>, body: &str) -> Patched {
    Patch::parse(kind, body.as_bytes(), &LIMITS)?.apply(stored, &LIMITS)
}

/// The name of the error, for tests to which its sentence is all the same.
pub(crate) fn code(patched: &Patched) -> &'static str {
    patched.as_ref().expect_err("it should be refused").code()
}
