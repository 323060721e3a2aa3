//! The KVTenant resource as Kubernetes sees it: spec, status, the rules the API server enforces, and the words
//! (phases, condition types, reasons, labels) that appear on objects. Other people's clients import this crate, so
//! it must never depend on a client or a runtime.

mod condition;
mod crd;
pub mod names;
pub mod rules;
mod spec;
mod status;
mod words;

pub use condition::{ConditionType, Reason};
pub use crd::crd;
pub use spec::{ImageSpec, KVTenant, KVTenantSpec, PullPolicy, PullSecret};
pub use status::{Condition, Derived, KVTenantStatus, Phase, Summary};
