//! What replicas want done, done: to their partition's store, to the row of confirmations, and to the other nodes.

use std::collections::VecDeque;

use kvnode_core::cluster::configuration::Change;
use kvnode_core::cluster::replica::{Effect, Replica};
use kvnode_core::store::ledger::Ledger;
use kvnode_core::store::partition::Partition;
use kvnode_core::store::record::Record;
use kvnode_core::store::slot::PartitionNumber;

use super::Cluster;
use super::wire::Payload;

/// Rows that are read at once for whoever joins: for so long nobody else gets at the partition.
const PORTION_BYTES: usize = 256 << 10;

impl Cluster {
    /// Lets something happen to a replica, by whoever holds its partition.
    pub(crate) fn act(
        &self,
        number: PartitionNumber,
        partition: &mut Partition,
        ledger: &Ledger,
        act: impl FnOnce(&mut Replica) -> Vec<Effect>,
    ) {
        let mut replica = self.replica(number);
        let effects = act(&mut replica);
        self.perform(number, partition, ledger, &mut replica, effects);
    }

    /// What the store did just now is told to everybody who has to hold it. Whoever changes a partition has made sure
    /// that this node serves it.
    pub(crate) fn written(&self, number: PartitionNumber, partition: &mut Partition, ledger: &Ledger) {
        let mut records: Vec<Box<[u8]>> = Vec::new();
        partition.take_records(|record| records.push(record.into()));
        if records.is_empty() {
            return;
        }
        let mut replica = self.replica(number);
        let now = self.now();
        for record in records {
            let sequence = replica.newest() + 1;
            self.confirmations.written(number, sequence);
            let (_, effects) = replica.written(record, now);
            self.perform(number, partition, ledger, &mut replica, effects);
        }
    }

    fn perform(
        &self,
        number: PartitionNumber,
        partition: &mut Partition,
        ledger: &Ledger,
        replica: &mut Replica,
        effects: Vec<Effect>,
    ) {
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Send { to, message } => self.peers.say(to, &Payload::Replica(number, message)),
                Effect::Propose { number: based_on, change } => {
                    self.propose(Change::Partition { partition: number, number: based_on, change });
                }
                Effect::Apply(records) | Effect::Load(records) => {
                    for bytes in records {
                        let record = Record::decode(&bytes).expect("frames are checked, so it is as it was written");
                        partition.restore(&record, ledger).expect("it is of this partition");
                    }
                }
                Effect::Empty => partition.empty(ledger),
                Effect::Read { begin, .. } => {
                    let more = self.read(number, partition, replica, begin);
                    // Before anything else happens to the store.
                    more.into_iter().rev().for_each(|effect| effects.push_front(effect));
                }
                Effect::Settle(sequence) => {
                    if self.confirmations.settled(number, sequence) {
                        self.tell();
                    }
                }
                Effect::Unknown => {
                    self.confirmations.lost(number);
                    self.tell();
                }
            }
        }
    }

    fn read(&self, number: PartitionNumber, partition: &Partition, replica: &mut Replica, begin: bool) -> Vec<Effect> {
        let mut snapshot = self.posts[number.index()].snapshot.lock().expect("a panic ends the process");
        if begin {
            *snapshot = Some(partition.begin_snapshot());
        }
        let snapshot = snapshot.as_mut().expect("it was begun");
        let mut rows: Vec<Box<[u8]>> = Vec::new();
        let more = partition.snapshot(snapshot, PORTION_BYTES, |row| rows.push(row.into()));
        replica.read(rows, !more, self.now())
    }
}
