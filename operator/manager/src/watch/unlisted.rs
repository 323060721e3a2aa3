//! Which kinds have not been listed to the end yet. Until all are, what seems to be missing may only not have been
//! read, and nothing may be decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

/// The kinds that are still to be listed, shared by the watches and by those who wait for them.
#[derive(Clone, Debug)]
pub(crate) struct Unlisted {
    kinds: Arc<watch::Sender<BTreeSet<&'static str>>>,
}

impl Unlisted {
    pub(super) fn all(kinds: impl IntoIterator<Item = &'static str>) -> Self {
        Self { kinds: Arc::new(watch::Sender::new(kinds.into_iter().collect())) }
    }

    /// `kind` was listed to the end.
    pub(super) fn listed(&self, kind: &'static str) {
        self.kinds.send_if_modified(|kinds| kinds.remove(kind));
    }

    /// What is still to be listed, in words; nothing when all is.
    pub(crate) fn words(&self) -> Option<String> {
        let kinds = self.kinds.borrow();
        let listed: Vec<&str> = kinds.iter().copied().collect();
        (!listed.is_empty()).then(|| format!("the first list of {} is not complete yet", listed.join(", ")))
    }

    /// Waits until all kinds are listed.
    pub(crate) async fn wait(&self) {
        let mut kinds = self.kinds.subscribe();
        // The sender lives in `self`, so the channel cannot close under the wait.
        let _ = kinds.wait_for(BTreeSet::is_empty).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn waiting_ends_with_the_last_kind() {
        let unlisted = Unlisted::all(["Pod", "Secret"]);
        assert!(unlisted.wait().now_or_never().is_none());
        unlisted.listed("Pod");
        assert_eq!(unlisted.words().as_deref(), Some("the first list of Secret is not complete yet"));
        assert!(unlisted.wait().now_or_never().is_none());
        unlisted.listed("Secret");
        unlisted.listed("Secret");
        assert!(unlisted.wait().now_or_never().is_some());
        assert_eq!(unlisted.words(), None);
    }
}
