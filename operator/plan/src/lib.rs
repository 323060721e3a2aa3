//! From a KVTenant and what exists to what should be done. Everything here is a pure function: no client, no clock,
//! no chance, so a test can hand in any state of the world and compare the answer whole.
//!
//! ```text
//! KVTenant ──validate──▶ ValidTenant ──┐
//!                                      ├──plan──▶ Plan { actions } ──(the operator applies them)──▶ report ──▶ status
//! what exists ─────────▶ Observed ─────┘
//! ```

pub mod children;
mod image;
mod memory;
mod name;
mod observed;
mod plan;
mod sizes;
pub mod status;
mod validate;

pub use image::{ImageError, ImageRef};
pub use memory::{MemoryError, MemorySize};
pub use name::{Name, NameError};
pub use observed::{Held, Holder, Observed, PodProblem, PodSeen, StatefulSetSeen};
pub use plan::{Action, NameTaken, Plan, Waiting, plan};
pub use sizes::Sizes;
pub use validate::{ImageWish, InvalidTenant, ValidTenant, validate};
