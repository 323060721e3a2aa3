//! What nodes say to each other, as bytes. Every frame carries its length, a checksum and the version of what it says, so
//! that a node of another version is refused with a sentence and a damaged frame ends the connection it came on.
//!
//! ```text
//! length 4 │ checksum of the bytes 4 │ version 1 │ zero 3 ┃ bytes …
//! ```

use std::io;

use kvnode_core::cluster::configuration::Change;
use kvnode_core::cluster::lease::{Grant, Nonce};
use kvnode_core::cluster::member::{Member, NodeName};
use kvnode_core::cluster::replica::message::Message;
use kvnode_core::store::slot::PartitionNumber;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::group;

/// Of everything in a frame. Another number is said in another way.
pub(crate) const VERSION: u8 = 1;

pub(crate) const HEADER_BYTES: usize = 12;

/// Above the largest value that can be configured (64 MiB) with all that may come with it.
pub(crate) const FRAME_BYTES_MAX: usize = 128 << 20;

/// Before it is known who speaks, nobody has a reason to say more.
pub(crate) const GREETING_BYTES_MAX: usize = 16 << 10;

/// What is read at once of a frame that says it is long: memory is taken as the bytes come, not as they are promised.
const READ_BYTES: usize = 1 << 20;

/// Who a node is, and where its clients and its peers reach it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub(crate) member: Member,
    pub(crate) name: NodeName,
    pub(crate) host: String,
    pub(crate) peer_port: u16,
    pub(crate) http_port: u16,
    /// None: it does not speak it.
    pub(crate) resp_cluster_port: Option<u16>,
    pub(crate) zone: Option<String>,
    pub(crate) weight: u32,
    /// It has never been part of a cluster.
    pub(crate) is_fresh: bool,
}

/// The first thing that is said on a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) cluster: String,
    pub(crate) tenant: String,
    pub(crate) token: Option<String>,
    pub(crate) who: Introduction,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Payload {
    Hello(Hello),
    /// The answer to that, and the only thing that is ever said in the other direction.
    Welcome(Introduction),
    Refused(String),
    Replica(PartitionNumber, Message),
    /// I am there, and perhaps not for long: others are to take over what I have.
    Here {
        is_leaving: bool,
    },
    /// May I serve?
    AskLease(Nonce),
    Granted(Grant),
    /// To the leader: let the group decide this.
    Propose(Change),
    GroupAsk {
        number: u64,
        ask: group::Ask,
    },
    GroupReply {
        number: u64,
        reply: group::Reply,
    },
}

#[derive(Debug, Error)]
pub(crate) enum FrameError {
    #[error(transparent)]
    Broken(#[from] io::Error),
    #[error("a frame says it has {length} bytes, and at most {max} make sense here")]
    TooLong { length: usize, max: usize },
    #[error("a frame was damaged on its way")]
    Damaged,
    #[error("the other side speaks version {0} of the protocol between nodes; this node speaks version {VERSION}")]
    Version(u8),
    #[error("a frame has no meaning")]
    Meaningless,
}

/// Puts a frame behind what is there.
pub(crate) fn encode(payload: &Payload, out: &mut Vec<u8>) {
    let at = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let taken = std::mem::take(out);
    *out = postcard::to_extend(payload, taken).expect("memory takes whatever is written to it");
    let content = &out[at + HEADER_BYTES..];
    let length = u32::try_from(content.len()).expect("frames are far below 4 GiB");
    let checksum = crc32fast::hash(content);
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    out[at + 4..at + 8].copy_from_slice(&checksum.to_le_bytes());
    out[at + 8] = VERSION;
}

/// The next frame; none if the other side has ended well.
pub(crate) async fn read<R>(from: &mut R, bytes_max: usize) -> Result<Option<Payload>, FrameError>
where
    R: AsyncRead + Unpin,
{
    let mut header = [0; HEADER_BYTES];
    match from.read(&mut header[..1]).await? {
        0 => return Ok(None),
        _ => from.read_exact(&mut header[1..]).await?,
    };
    let word = |place: usize| u32::from_le_bytes(header[place..place + 4].try_into().expect("four bytes"));
    let (length, checksum) = (word(0) as usize, word(4));
    if header[8] != VERSION {
        return Err(FrameError::Version(header[8]));
    }
    if length > bytes_max {
        return Err(FrameError::TooLong { length, max: bytes_max });
    }
    let mut content = Vec::new();
    while content.len() < length {
        let at = content.len();
        content.resize(length.min(at + READ_BYTES), 0);
        from.read_exact(&mut content[at..]).await?;
    }
    if crc32fast::hash(&content) != checksum {
        return Err(FrameError::Damaged);
    }
    postcard::from_bytes(&content).map(Some).map_err(|_| FrameError::Meaningless)
}

#[cfg(test)]
mod tests {
    use kvnode_core::cluster::configuration::{Epoch, PartitionChange};
    use kvnode_core::cluster::member::{Incarnation, NodeId};
    use kvnode_core::cluster::replica::log::{Entry, Position};
    use kvnode_core::cluster::replica::message::{Rows, Stream, Word};
    use proptest::prelude::*;

    use super::*;

    fn position(sequence: u64) -> Position {
        Position { epoch: Epoch::new(3), sequence }
    }

    fn payloads() -> Vec<Payload> {
        let member = Member { node: NodeId::new(u128::MAX - 4), incarnation: Incarnation::new(9) };
        let message = |word| Message { stream: Stream { epoch: Epoch::new(3), number: 2 }, word };
        let entry = Entry { position: position(8), record: Box::from(&[7; 300][..]) };
        let rows = Rows { portion: 1, at: position(8), rows: vec![Box::from(*b"row")], is_last: true };
        let number = PartitionNumber::new(200);
        let change = Change::Partition { partition: number, number: 4, change: PartitionChange::Remove(member) };
        vec![
            Payload::Refused("another tenant".to_owned()),
            Payload::Here { is_leaving: true },
            Payload::Propose(change),
            Payload::Replica(number, message(Word::Seal { after: position(7), tail: vec![entry.clone()] })),
            Payload::Replica(number, message(Word::Rows(rows))),
            Payload::Replica(number, message(Word::Records { after: position(7), entries: vec![entry], committed: 7 })),
        ]
    }

    async fn all(mut bytes: &[u8]) -> Result<Vec<Payload>, FrameError> {
        let mut read_so_far = Vec::new();
        while let Some(payload) = read(&mut bytes, FRAME_BYTES_MAX).await? {
            read_so_far.push(payload);
        }
        Ok(read_so_far)
    }

    fn frames() -> Vec<u8> {
        let mut bytes = Vec::new();
        for payload in &payloads() {
            encode(payload, &mut bytes);
        }
        bytes
    }

    #[tokio::test]
    async fn what_is_said_is_heard() {
        let heard = all(&frames()).await.expect("good frames");
        assert_eq!(format!("{heard:?}"), format!("{:?}", payloads()));
    }

    #[tokio::test]
    async fn another_version_is_named_and_too_much_is_refused() {
        let mut bytes = frames();
        assert!(matches!(read(&mut &bytes[..], 5).await, Err(FrameError::TooLong { max: 5, .. })));
        bytes[8] = 2;
        let error = read(&mut &bytes[..], FRAME_BYTES_MAX).await.expect_err("another version");
        assert!(error.to_string().contains("version 2"), "{error}");
    }

    proptest! {
        #[test]
        fn a_damaged_frame_is_never_heard(place in 0..frames().len(), bit in 0..8) {
            let mut bytes = frames();
            bytes[place] ^= 1_u8 << bit;
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            // Three bytes of a header say nothing yet.
            match runtime.block_on(all(&bytes)) {
                Err(_) => {}
                Ok(heard) => prop_assert_eq!(format!("{:?}", heard), format!("{:?}", payloads())),
            }
        }

        #[test]
        fn any_bytes_are_refused_or_heard(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let _ = runtime.block_on(all(&bytes));
            let _ = postcard::from_bytes::<Payload>(&bytes);
        }
    }
}
