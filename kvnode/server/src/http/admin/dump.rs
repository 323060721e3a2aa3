//! `GET /admin/dump`: all entries of all namespaces, a line each, made while they are sent. Each is as it was at the moment
//! its piece was taken; a key that is there from the beginning to the end is in it, whatever is written meanwhile.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use http::header;
use kvnode_core::store::key::Namespace;
use kvnode_core::store::partition::Snapshot;
use kvnode_core::store::record::{Event, Record};
use kvnode_core::store::slot::PartitionNumber;
use kvnode_core::time::UnixMillis;

use super::Admin;
use crate::access::audit::Event as Audited;
use crate::clock::rfc3339;
use crate::dump::{Header, Writer};
use crate::http::answer::LINES;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::shared::Shared;

/// What is taken of a partition under one lock: some tens of microseconds in which nobody else gets at it.
const PIECE_BYTES: usize = 32 * 1024;

/// What a piece of small entries comes to as text. Large values take more, and room for them is asked for.
const TEXT_BYTES: usize = 4 * PIECE_BYTES;

pub(in crate::http) async fn dump(
    State(shared): State<Arc<Shared>>,
    _admin: Admin,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    Query::parse(query.as_deref(), &[])?;
    shared.store.ready()?;
    let now = shared.clock.now();
    shared.access.audit.note(Audited::new(Namespace::Shared, "dump", now));
    tracing::info!(tenant_id = shared.settings.tenant.as_str(), operation = "dump", "a dump begins");
    let body = Body::from_stream(chunks(Dumping::new(shared)));
    Ok(([(header::CONTENT_TYPE, LINES)], body).into_response())
}

/// An error breaks the answer off: that it has no last line tells the client.
fn chunks(dumping: Dumping) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::unfold(Some(dumping), |dumping| async move {
        let mut dumping = dumping?;
        match dumping.next().await {
            Ok(chunk) => {
                let ended = matches!(dumping.stage, Stage::Ended);
                Some((Ok(chunk), (!ended).then_some(dumping)))
            }
            Err(problem) => {
                dumping.shared.metrics.operation("dump", "error");
                tracing::warn!(reason = %problem, operation = "dump", "a dump was broken off");
                Some((Err(problem), None))
            }
        }
    })
}

struct Dumping {
    shared: Arc<Shared>,
    writer: Writer,
    stage: Stage,
    rows: Rows,
}

enum Stage {
    Begun,
    Within(PartitionNumber, Snapshot),
    Ended,
}

/// Records as they were copied under the lock.
#[derive(Default)]
struct Rows {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Dumping {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, writer: Writer::default(), stage: Stage::Begun, rows: Rows::default() }
    }

    /// The next lines; the last ones when it has ended with them.
    async fn next(&mut self) -> Result<Bytes, Problem> {
        let room = self.shared.bodies.room_for(TEXT_BYTES).await?;
        let mut text = Vec::with_capacity(TEXT_BYTES);
        while text.len() < PIECE_BYTES && !matches!(self.stage, Stage::Ended) {
            self.go_on(&mut text).await?;
            // Others of this thread have waited for as long as one piece takes.
            tokio::task::yield_now().await;
        }
        let room = if text.len() <= room.bytes() {
            room
        } else {
            // The smaller is given back first: who waits for more must not keep others waiting.
            drop(room);
            self.shared.bodies.room_for(text.len()).await?
        };
        Ok(room.holding(text))
    }

    /// Writes the lines of one piece.
    async fn go_on(&mut self, text: &mut Vec<u8>) -> Result<(), Problem> {
        let Self { shared, writer, stage, rows } = self;
        let now = shared.clock.now();
        match stage {
            Stage::Begun => {
                let settings = &shared.settings;
                let (tenant, node) = (settings.tenant.as_str(), settings.name.as_str());
                let header = Header::new(tenant, node, rfc3339(now), shared.store.count_all(now));
                writer.header(&header, text);
                let first = PartitionNumber::new(0);
                *stage = Stage::Within(first, shared.store.begin_snapshot(first));
            }
            Stage::Within(partition, snapshot) => {
                rows.clear();
                let begun = shared.store.begin();
                let more = shared.store.snapshot(*partition, snapshot, PIECE_BYTES, |row| rows.push(row));
                // What a crash could take back must not be in a dump.
                shared.store.settled(shared.store.ticket_of(*partition, begun)).await?;
                rows.write(writer, now, text);
                if more {
                    return Ok(());
                }
                *stage = if let Some(next) = partition.get().checked_add(1).map(PartitionNumber::new) {
                    Stage::Within(next, shared.store.begin_snapshot(next))
                } else {
                    writer.end(text);
                    shared.metrics.operation("dump", "success");
                    let (tenant_id, entries) = (shared.settings.tenant.as_str(), writer.entries());
                    tracing::info!(tenant_id, entries, operation = "dump", "a dump is complete");
                    Stage::Ended
                };
            }
            Stage::Ended => {}
        }
        Ok(())
    }
}

impl Rows {
    fn clear(&mut self) {
        self.ends.clear();
        self.bytes.clear();
        // What a large value took is given back.
        self.bytes.shrink_to(2 * PIECE_BYTES);
    }

    fn push(&mut self, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        self.ends.push(self.bytes.len());
    }

    /// Only entries are dumped, and no more those whose time is over.
    fn write(&self, writer: &mut Writer, now: UnixMillis, text: &mut Vec<u8>) {
        let mut begin = 0;
        for &end in &self.ends {
            let record = Record::decode(&self.bytes[begin..end]).expect("the store itself has written it");
            begin = end;
            if let Event::Holds(entry) = record.event
                && !entry.is_tombstone()
                && entry.expires_at().is_none_or(|at| at > now)
            {
                writer.entry(record.namespace, entry, text);
            }
        }
    }
}
