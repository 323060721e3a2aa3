//! Whether a condition holds, written down once more and independently of the core.

use kvnode_core::store::condition::{Condition, ExpiryRule};
use kvnode_core::time::UnixMillis;

use super::Known;

/// An entry without expiry ends after the last moment there is.
const NEVER: UnixMillis = UnixMillis::new(u64::MAX);

pub(super) fn hold(condition: &Condition, known: Option<&Known>) -> bool {
    let Some(known) = known else {
        return match condition {
            Condition::IfVersion(version) => version.get() == 0,
            Condition::IfNoneMatch(_) | Condition::IfNoneMatchAny => true,
            _ => false,
        };
    };
    let ends = known.expires_at.unwrap_or(NEVER);
    match condition {
        Condition::IfVersion(version) => known.version == *version,
        Condition::IfMatch(versions) => versions.contains(&known.version),
        Condition::IfNoneMatch(versions) => !versions.contains(&known.version),
        Condition::IfMatchAny => true,
        Condition::IfNoneMatchAny => false,
        Condition::IfContent(content) => known.content.bytes[..] == **content,
        Condition::IfExpiry(ExpiryRule::None) => ends == NEVER,
        Condition::IfExpiry(ExpiryRule::Some) => ends < NEVER,
        Condition::IfExpiry(ExpiryRule::Before(moment)) => ends < *moment,
        Condition::IfExpiry(ExpiryRule::After(moment)) => ends > *moment,
    }
}
