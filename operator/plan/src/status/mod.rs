//! From what was done and what was seen to the status people read. Pure like the rest: the time is handed in, and the
//! previous status too, because a condition keeps the moment it last changed.

mod conditions;
mod nodes;
mod report;

pub use conditions::{Transition, transitions};
pub use nodes::NodesSeen;
pub use report::{Report, Standing, report};
