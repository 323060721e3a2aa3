//! The cluster as state machines without I/O: who takes part, who holds which partition, and who may serve it. The code
//! names the rule that it keeps (R1, R2, …) where it keeps it.
//!
//! | module | what it decides |
//! |---|---|
//! | [`member`] | who is who: a node, and each life of its process |
//! | [`placement`] | where the copies of a partition are to be |
//! | [`configuration`] | who holds a partition now, and which changes of that are good |
//! | [`replica`] | what a member holds of a partition, what it may tell, and what it says to the others |
//! | [`lease`] | whether a primary may be sure to be the only one |
//! | [`leader`] | what the group's leader wants changed, by what it sees |
//! | [`safeguard`] | what may not be left out, by name |

pub mod configuration;
pub mod leader;
pub mod lease;
pub mod member;
pub mod placement;
pub mod replica;
pub mod safeguard;
