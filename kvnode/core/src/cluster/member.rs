//! Who takes part. A node is its data directory, a member is one life of its process: what was said by or to an earlier
//! life means nothing to this one (R2).

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Drawn by lot once for a data directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(u128);

/// Raised at every start of a process, even when its data were read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(u64);

/// One life of a node. Every message and acknowledgement names both sides by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    pub node: NodeId,
    pub incarnation: Incarnation,
}

/// What people call a node: `cart-0`. Names are ordered as their pods are: by the number they end with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeName(Box<str>);

impl NodeId {
    pub const fn new(id: u128) -> Self {
        Self(id)
    }

    pub const fn get(self) -> u128 {
        self.0
    }
}

impl Incarnation {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

impl NodeName {
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the trailing number, and the number. Leading zeros do not make it another number.
    fn parts(&self) -> (&str, Option<u128>) {
        let digits = self.0.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (before, number) = self.0.split_at(self.0.len() - digits);
        match number.parse() {
            Ok(number) => (before, Some(number)),
            // None at all, or more digits than anybody counts to.
            Err(_) => (&self.0, None),
        }
    }
}

impl Ord for NodeName {
    fn cmp(&self, other: &Self) -> Ordering {
        // The text decides what the parts do not, so that names that differ are never equal.
        self.parts().cmp(&other.parts()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for NodeName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "NodeId({:032x})", self.0)
    }
}

/// Thirty-two hexadecimal digits.
impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

/// The beginning of the id and the incarnation: enough for a line of a log.
impl fmt::Display for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}/{}", self.node.0 >> 96, self.incarnation.0)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_the_number_they_end_with() {
        let mut names = ["cart-10", "cart-9", "cart-0", "a", "cart-2", "cart", "cart-02", "b-1"].map(NodeName::new);
        names.sort();
        let ordered = names.each_ref().map(NodeName::as_str);
        assert_eq!(ordered, ["a", "b-1", "cart", "cart-0", "cart-02", "cart-2", "cart-9", "cart-10"]);
    }

    #[test]
    fn a_number_that_nobody_counts_to_is_a_text() {
        let long = format!("n{}", "9".repeat(60));
        assert_eq!(NodeName::new(long.clone()).parts(), (&*long, None));
    }
}
