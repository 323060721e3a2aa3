//! What the operator sees of the cluster: one watch for each kind, asked only for objects with our label, reduced at
//! once to what decisions need, and kept by tenant. A change of that reduced form wakes the tenant; anything else
//! (a status we wrote ourselves, a heartbeat of another controller) wakes nobody.

mod cache;
mod caches;
mod follow;
mod seen;
mod tenants;
mod unlisted;

pub(crate) use cache::TenantKey;
pub(crate) use caches::Caches;
pub(crate) use seen::{ChildSeen, Version};
