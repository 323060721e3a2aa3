//! Defects in what is recorded.

use kvnode_core::store::record::{Event, Record};

use super::Mutation;

/// Whether the record is kept, which may be another one then.
pub(super) fn spoil(mutation: Mutation, bytes: &mut Vec<u8>) -> bool {
    let record = Record::decode(bytes).expect("the core's own records can be read");
    match (mutation, record.event) {
        (Mutation::EndNotRecorded, Event::Holds(entry)) => !entry.is_tombstone(),
        (Mutation::FlushNotRecorded, Event::Flushed { .. })
        | (Mutation::ForgettingNotRecorded, Event::Forgotten { .. }) => false,
        (Mutation::AnswerNotRecorded, Event::Holds(_)) if record.answer.is_some() => {
            let mut without = Vec::new();
            Record { answer: None, ..record }.encode(&mut without);
            *bytes = without;
            true
        }
        _ => true,
    }
}
