//! Who a data folder belongs to. A node's identity is drawn once for a folder; its incarnation goes up with every start,
//! so that nobody takes a node for the one it was before it lost its memory. Beside that: how the log ended, as far as
//! this could be known. People may read it, so it is text.

use std::fmt;
use std::str::FromStr;

use super::frame::checksum;

const FIRST_LINE: &str = "kvnode data folder, format 1";

/// Drawn at random, once for a data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeId(pub(super) u128);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) node: NodeId,
    pub(crate) tenant: String,
    /// 1 with the first start.
    pub(crate) incarnation: u64,
    pub(crate) tail: Tail,
}

/// What the last one who wrote knew of the end of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// There is no log.
    None,
    /// Records were being written, to this segment or a later one, while the machine ran under this boot's name.
    Open { segment: u64, boot: String },
    /// The last segment, and the length it has.
    Closed { segment: u64, length: u64 },
}

impl NodeId {
    pub(crate) fn get(self) -> u128 {
        self.0
    }

    pub(super) fn draw() -> Self {
        Self(crate::random::node_id())
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Display for Tail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Open { segment, boot } => write!(formatter, "open {segment} {boot}"),
            Self::Closed { segment, length } => write!(formatter, "closed {segment} {length}"),
        }
    }
}

impl FromStr for Tail {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["none"] => Ok(Self::None),
            ["open", segment, boot] => Ok(Self::Open { segment: number(segment)?, boot: boot.to_owned() }),
            ["closed", segment, length] => Ok(Self::Closed { segment: number(segment)?, length: number(length)? }),
            _ => Err(()),
        }
    }
}

impl Identity {
    pub(super) fn text(&self) -> String {
        let Self { node, tenant, incarnation, tail } = self;
        let lines = format!("{FIRST_LINE}\nnode {node}\ntenant {tenant}\nincarnation {incarnation}\nlog {tail}\n");
        let checksum = checksum(lines.as_bytes());
        format!("{lines}checksum {checksum:08x}\n")
    }

    /// Fails unless every byte is as it was written.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        const CHANGED: &str = "its checksum does not fit";
        let (lines, last) = text.rsplit_once("checksum ").ok_or("it has no checksum")?;
        if last != format!("{:08x}\n", checksum(lines.as_bytes())) {
            return Err(CHANGED);
        }
        let mut lines = lines.lines();
        if lines.next() != Some(FIRST_LINE) {
            return Err("it was written by another version of kvnode");
        }
        let mut value = |name: &str| lines.next().and_then(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let mut read = || {
            Some(Self {
                node: NodeId(u128::from_str_radix(value("node")?, 16).ok()?),
                tenant: value("tenant")?.to_owned(),
                incarnation: value("incarnation")?.parse().ok()?,
                tail: value("log")?.parse().ok()?,
            })
        };
        read().ok_or(CHANGED)
    }
}

fn number(text: &str) -> Result<u64, ()> {
    text.parse().map_err(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(tail: Tail) -> Identity {
        Identity { node: NodeId(0xab << 100 | 7), tenant: "dev".to_owned(), incarnation: 41, tail }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let open = Tail::Open { segment: 3, boot: "4f-1".to_owned() };
        for tail in [Tail::None, open, Tail::Closed { segment: 3, length: 1 << 40 }] {
            let identity = identity(tail);
            assert_eq!(Identity::read(&identity.text()), Ok(identity));
        }
    }

    #[test]
    fn no_byte_can_change_unseen() {
        let text = identity(Tail::Closed { segment: 12, length: 4096 }).text();
        for position in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[position] ^= 1;
            let changed = String::from_utf8(bytes).expect("still ASCII");
            assert!(Identity::read(&changed).is_err(), "{changed}");
            assert!(Identity::read(&text[..position]).is_err(), "cut at {position}");
        }
    }
}
