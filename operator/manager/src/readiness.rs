//! Whether the operator can do its work yet, and why not. Ready means: every cache holds a complete picture. Before
//! that, what looks missing may only not have been listed yet.

use std::sync::{Arc, Mutex, PoisonError};

/// Shared by whoever makes progress and whoever answers /readyz.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    missing: Arc<Mutex<Option<String>>>,
}

impl Readiness {
    pub(crate) fn not_yet(why: &str) -> Self {
        Self { missing: Arc::new(Mutex::new(Some(why.to_owned()))) }
    }

    pub(crate) fn waits_for(&self, why: &str) {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    pub(crate) fn ready(&self) {
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is missing; nothing when ready.
    pub(crate) fn missing(&self) -> Option<String> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
