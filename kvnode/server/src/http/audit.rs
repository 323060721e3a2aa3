//! The audit trail over HTTP: `audit`.

use axum::response::Response;
use kvnode_core::time::UnixMillis;
use serde::Serialize;

use super::answer::json;
use super::call::Call;
use super::problem::Problem;
use super::query::Query;
use crate::access::audit::{Details, Event};
use crate::clock::rfc3339;

const EVENTS_DEFAULT: u64 = 100;

/// A trail may have many times as many; who wants them all asks again with another `since`.
const EVENTS_MAX: u64 = 1000;

#[derive(Serialize)]
struct Trail<'t> {
    items: Vec<Item<'t>>,
}

#[derive(Serialize)]
struct Item<'t> {
    event_type: &'static str,
    tenant_id: &'t str,
    timestamp: String,
    details: Details,
}

/// Only the caller's own.
pub(super) async fn list(call: Call) -> Result<Response, Problem> {
    let query = call.query(&["limit", "since"])?;
    let limit = query.number("limit")?.unwrap_or(EVENTS_DEFAULT);
    if !(1..=EVENTS_MAX).contains(&limit) {
        let sentence = format!("The query parameter 'limit' is {limit}; it must be 1 to {EVENTS_MAX}.");
        return Err(Problem::unfit("BadQuery", sentence));
    }
    let limit = usize::try_from(limit).expect("it is at most a thousand");
    let since = since(&query)?;
    let now = call.shared.clock.now();
    let events = call.shared.access.audit.newest(call.caller.namespace, since, limit, now);
    let tenant_id = call.tenant_id();
    let item = |Event { kind, at, details, .. }| Item {
        event_type: kind,
        tenant_id: &tenant_id,
        timestamp: rfc3339(at),
        details,
    };
    Ok(json(&Trail { items: events.into_iter().map(item).collect() }))
}

fn since(query: &Query) -> Result<UnixMillis, Problem> {
    let Some(text) = query.get("since") else { return Ok(UnixMillis::default()) };
    let moment: Result<jiff::Timestamp, _> = text.parse();
    let moment = moment.map_err(|_| {
        let sentence = format!(
            "The query parameter 'since' is '{text}'; it must be a time in RFC 3339, for example 2026-01-01T12:00:00Z."
        );
        Problem::unfit("BadQuery", sentence)
    })?;
    Ok(UnixMillis::new(u64::try_from(moment.as_millisecond()).unwrap_or_default()))
}
