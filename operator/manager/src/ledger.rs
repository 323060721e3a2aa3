//! What was sent last, so that it is not sent again. A write that changes nothing is still a write: it costs the API
//! server, shows in audit logs, and with a thousand tenants an hour's resync would be thousands of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use kvtenant_api::KVTenantStatus;
use kvtenant_plan::StatefulSetSeen;
use kvtenant_plan::children::ChildKind;

use crate::watch::Version;

/// A child by kind and name.
pub(crate) type ChildKey = (ChildKind, String);

/// What was sent for one child, and what it looked like before and after.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) fingerprint: String,
    pub(crate) before: Option<Version>,
    pub(crate) after: Version,
    /// A StatefulSet's figures as the answer to the send had them.
    pub(crate) set: Option<StatefulSetSeen>,
}

/// How an object compares with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It is as it was sent.
    AsSent,
    /// The cache still shows it from before the send; the answer to the send is newer.
    Lagging(Option<StatefulSetSeen>),
    /// It was never sent, the intent is another, or somebody changed it: it has to be sent.
    Different,
}

/// What was written as the status, on top of which version of the object.
#[derive(Clone, Debug)]
struct Reported {
    status: KVTenantStatus,
    /// resourceVersion the cache showed when it was written.
    before: Option<String>,
}

/// Of one KVTenant, by uid: a new incarnation begins with an empty page.
#[derive(Debug, Default)]
struct Page {
    children: HashMap<ChildKey, Sent>,
    reported: Option<Reported>,
}

/// The memory of this process. It is lost with it; then everything is sent once more, which changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pages: Mutex<HashMap<String, Page>>,
}

impl Ledger {
    /// Compares an object of this version with what was sent. A version from before the send is a cache that lags:
    /// sending again would change nothing. Once the version after the send was seen, the one before it means that
    /// somebody put it back.
    pub(crate) fn compare(
        &self,
        tenant_uid: &str,
        child: &ChildKey,
        fingerprint: &str,
        seen: Option<&Version>,
    ) -> Memory {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = pages.get_mut(tenant_uid).and_then(|page| page.children.get_mut(child));
        let (Some(sent), Some(seen)) = (sent.filter(|sent| sent.fingerprint == fingerprint), seen) else {
            return Memory::Different;
        };
        if *seen == sent.after {
            sent.before = None;
            return Memory::AsSent;
        }
        if sent.before.as_ref() == Some(seen) { Memory::Lagging(sent.set.clone()) } else { Memory::Different }
    }

    /// Remembers what was sent.
    pub(crate) fn sent(&self, tenant_uid: &str, child: ChildKey, sent: Sent) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.entry(tenant_uid.to_owned()).or_default().children.insert(child, sent);
    }

    /// The status as it is, as far as this process knows: the cached one, unless the cache still shows the object from
    /// before our last write.
    pub(crate) fn freshest_status(
        &self,
        tenant_uid: &str,
        cached: Option<&KVTenantStatus>,
        resource_version: Option<&str>,
    ) -> Option<KVTenantStatus> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let reported = pages.get(tenant_uid).and_then(|page| page.reported.as_ref());
        match reported {
            Some(reported) if reported.before.as_deref() == resource_version => Some(reported.status.clone()),
            _ => cached.cloned(),
        }
    }

    /// Remembers what was reported.
    pub(crate) fn reported(&self, tenant_uid: &str, status: KVTenantStatus, before: Option<&str>) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let page = pages.entry(tenant_uid.to_owned()).or_default();
        page.reported = Some(Reported { status, before: before.map(str::to_owned) });
    }

    /// Forgets all tenants but those with these uids.
    pub(crate) fn keep_only(&self, living: &HashSet<String>) {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).retain(|uid, _| living.contains(uid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    fn version(number: u32) -> Version {
        Version::of(&ObjectMeta { resource_version: Some(number.to_string()), ..ObjectMeta::default() })
    }

    fn child() -> ChildKey {
        (ChildKind::ConfigMap, "analytics".to_owned())
    }

    fn compare(ledger: &Ledger, fingerprint: &str, seen: u32) -> Memory {
        ledger.compare("uid-1", &child(), fingerprint, Some(&version(seen)))
    }

    /// A ledger that knows the intent "print", sent over version 1 and answered with version 2.
    fn written() -> Ledger {
        let ledger = Ledger::default();
        let sent = Sent { fingerprint: "print".to_owned(), before: Some(version(1)), after: version(2), set: None };
        ledger.sent("uid-1", child(), sent);
        ledger
    }

    /// G4: the second pass sends nothing, whether the cache has caught up or not.
    #[test]
    fn what_was_sent_is_not_sent_again() {
        assert_eq!(compare(&Ledger::default(), "print", 1), Memory::Different, "nothing was sent yet");
        let ledger = written();
        assert_eq!(compare(&ledger, "print", 1), Memory::Lagging(None));
        assert_eq!(compare(&ledger, "print", 2), Memory::AsSent);
    }

    /// G2: drift is repaired, also drift back to what stood there before.
    #[test]
    fn what_somebody_changed_is_sent_again() {
        let ledger = written();
        assert_eq!(compare(&ledger, "print", 3), Memory::Different, "somebody wrote");
        assert_eq!(compare(&ledger, "other", 2), Memory::Different, "the intent changed");
        assert_eq!(ledger.compare("uid-1", &child(), "print", None), Memory::Different, "it is gone");
        assert_eq!(compare(&ledger, "print", 2), Memory::AsSent);
        assert_eq!(compare(&ledger, "print", 1), Memory::Different, "somebody put the old one back");
    }

    #[test]
    fn another_incarnation_begins_with_an_empty_page() {
        let ledger = written();
        assert_eq!(ledger.compare("uid-2", &child(), "print", Some(&version(2))), Memory::Different);
        ledger.keep_only(&HashSet::from(["uid-2".to_owned()]));
        assert_eq!(compare(&ledger, "print", 2), Memory::Different);
    }

    /// A pass right after a status write must not take the cached status for the newest, or it would tell every
    /// transition twice.
    #[test]
    fn the_freshest_status_is_the_one_we_wrote_until_the_cache_moves() {
        let ledger = Ledger::default();
        let (old, new) = (KVTenantStatus::default(), KVTenantStatus { formed: true, ..KVTenantStatus::default() });
        ledger.reported("uid-1", new.clone(), Some("1"));
        assert_eq!(ledger.freshest_status("uid-1", Some(&old), Some("1")), Some(new));
        assert_eq!(ledger.freshest_status("uid-1", Some(&old), Some("3")), Some(old));
        assert_eq!(ledger.freshest_status("uid-2", None, Some("1")), None);
    }
}
