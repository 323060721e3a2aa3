//! A request for data as handlers see it: who asks, in which dialect, with which key, query, headers and body. What has
//! to be asked of every one of them (is this the tenant's node, who is it, is the key one) is asked here, once.

use std::borrow::Cow;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::Guard;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use kvnode_core::store::answers::Idempotency;
use kvnode_core::store::attributes::{Ttl, Version};
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::{Address, Key};
use kvnode_core::store::limits::Limits;
use kvnode_core::store::outcome::Reply;

use super::body::{ReadBody, Room};
use super::caller;
use super::dialect::Dialect;
use super::entry_text::{Surroundings, bytes_of, entry_text};
use super::idempotency::Attempt;
use super::observe::RequestId;
use super::problem::Problem;
use super::query::Query;
use super::target;
use crate::access::Caller;
use crate::monitor::Seen;
use crate::settings::live::LiveSettings;
use crate::shared::Shared;

/// What the routes of a dialect have in common.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) shared: Arc<Shared>,
    pub(super) dialect: &'static Dialect,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) shared: Arc<Shared>,
    pub(super) dialect: &'static Dialect,
    pub(super) caller: Caller,
    pub(super) headers: HeaderMap,
    /// One set of limits for all of the request, even if they change meanwhile.
    live: Guard<Arc<LiveSettings>>,
    /// Of a write with an idempotency key.
    pub(super) attempt: Option<Attempt>,
    id: RequestId,
    query: Option<String>,
    key: Option<String>,
}

/// A handler as a route wants it. What it refuses is told in the words of the dialect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handling<H>(pub(super) H);

/// The same for a handler that takes the body as well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taking<H>(pub(super) H);

/// How an operation ended, and with which version.
pub(super) type Said = (&'static str, Version);

/// Of questions that are about no version.
pub(super) const SUCCESS: Said = ("success", Version::ABSENT);
pub(super) const NOT_FOUND: Said = ("not_found", Version::ABSENT);

/// What is known of a request once its path is understood, and before anybody has asked who sent it.
#[derive(Debug)]
pub(super) struct Asked<'r> {
    pub(super) method: &'r Method,
    pub(super) path: &'r str,
    pub(super) query: Option<&'r str>,
    pub(super) from: IpAddr,
}

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

impl<H, F> Handler<Call, Context> for Handling<H>
where
    H: FnOnce(Call) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response, Problem>> + Send,
{
    type Future = Answering;

    fn call(self, request: Request, context: Context) -> Answering {
        let dialect = context.dialect;
        Box::pin(async move {
            let answered = async { self.0(Call::of(request, context).await?.0).await };
            told(answered.await, dialect)
        })
    }
}

impl<H, F> Handler<(Call, Body), Context> for Taking<H>
where
    H: FnOnce(Call, Body) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response, Problem>> + Send,
{
    type Future = Answering;

    fn call(self, request: Request, context: Context) -> Answering {
        let dialect = context.dialect;
        Box::pin(async move {
            let answered = async {
                let (call, body) = Call::of(request, context).await?;
                self.0(call, body).await
            };
            told(answered.await, dialect)
        })
    }
}

/// A body on its way, or here.
pub(super) trait Sent: Send {
    fn read(self, call: &Call) -> impl Future<Output = Result<ReadBody, Problem>> + Send;
}

impl Sent for Body {
    async fn read(self, call: &Call) -> Result<ReadBody, Problem> {
        call.shared.bodies.read(&call.headers, self).await
    }
}

/// So small that it needs no room.
impl Sent for Bytes {
    async fn read(self, _: &Call) -> Result<ReadBody, Problem> {
        Ok(ReadBody { bytes: self, room: Room::default() })
    }
}

pub(super) fn told(answered: Result<Response, Problem>, dialect: &Dialect) -> Response {
    answered.unwrap_or_else(|problem| problem.told_in(dialect).into_response())
}

impl Call {
    async fn of(request: Request, Context { shared, dialect }: Context) -> Result<(Self, Body), Problem> {
        let (mut parts, body) = request.into_parts();
        let path = target::parameters(&mut parts).await?;
        target::check_tenant(&path, &shared)?;
        let key = target::key(&path, &parts.uri).map(str::to_owned);
        let id = parts.extensions.remove().expect("every request is given an id before it is routed");
        let from = caller::address(&parts);
        let Parts { method, uri, headers, .. } = parts;
        let asked = Asked { method: &method, path: uri.path(), query: uri.query(), from };
        Ok((Self::admit(&asked, headers, key, id, shared, dialect)?, body))
    }

    /// Finds out who asks, and whether they may.
    pub(super) fn admit(
        asked: &Asked<'_>,
        headers: HeaderMap,
        key: Option<String>,
        id: RequestId,
        shared: Arc<Shared>,
        dialect: &'static Dialect,
    ) -> Result<Self, Problem> {
        let caller = caller::of(asked, &headers, &shared, dialect.door)?;
        let attempt = if asked.method.is_safe() { None } else { Attempt::of(asked, &headers, &caller)? };
        let query = asked.query.map(str::to_owned);
        let live = shared.live();
        Ok(Self { shared, dialect, caller, headers, live, attempt, id, query, key })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.live.limits
    }

    /// The query, if it has no names but these.
    pub(super) fn query(&self, known: &[&str]) -> Result<Query, Problem> {
        Query::parse(self.query.as_deref(), known)
    }

    /// Where the entry lives that the path names; for routes whose paths name one.
    pub(super) fn address(&self) -> Result<Address<'static>, Problem> {
        let text = self.key.as_deref().expect("handlers that ask for a key stand on paths that name one");
        let key = Key::new(text, self.limits())?.into_owned();
        Ok(Address { namespace: self.caller.namespace, key })
    }

    pub(super) async fn read(&self, body: impl Sent) -> Result<ReadBody, Problem> {
        body.read(self).await
    }

    /// The query, if it has no names but these; one of them may be repeated.
    pub(super) fn query_repeating(&self, known: &[&str], repeating: &str) -> Result<Query, Problem> {
        Query::parse_repeating(self.query.as_deref(), known, repeating)
    }

    /// What makes this write known again, if it is to be done once only.
    pub(super) fn idempotency(&self, body: &[u8]) -> Option<Idempotency> {
        self.attempt.as_ref().map(|attempt| attempt.with(body))
    }

    /// What entries created without a ttl get in this dialect.
    pub(super) fn default_ttl(&self) -> Option<Ttl> {
        self.live.default_ttl.filter(|_| self.dialect.default_ttl)
    }

    /// What answers call the caller's namespace.
    pub(super) fn tenant_id(&self) -> Cow<'_, str> {
        self.caller.tenant_id(&self.shared.settings.tenant)
    }

    /// The entry as JSON.
    pub(super) fn describe(&self, entry: EntryRef<'_>, status: Option<&'static str>) -> Vec<u8> {
        let (tenant_id, node) = (self.tenant_id(), self.shared.settings.name.as_str());
        entry_text(entry, Surroundings { tenant_id: &tenant_id, node, status })
    }

    /// Room for the answer to a write that keeps what is left out of it: as much as the entry takes now, unless the body's
    /// room is larger. Should another write make it larger meanwhile, the answer takes more than was asked for, once.
    pub(super) async fn room_for_present(&self, address: &Address<'_>, room: Room) -> Result<Room, Problem> {
        let looking = KeyCommand::new(address.clone(), KeyAction::Get);
        let bytes = self.shared.run(&looking, |outcome| match outcome {
            Ok(Reply::Found(entry)) => bytes_of(entry),
            _ => 0,
        });
        self.at_least(bytes.await?, room).await
    }

    /// This room or a larger one. The smaller is given back first: who waits for more must not keep others waiting.
    pub(super) async fn at_least(&self, bytes: usize, room: Room) -> Result<Room, Problem> {
        if bytes <= room.bytes() {
            return Ok(room);
        }
        drop(room);
        self.shared.bodies.room_for(bytes).await
    }

    /// Counts an operation, and shows it to whoever watches.
    pub(super) fn record(&self, operation: &'static str, key: Option<&Key<'_>>, said: Said) {
        self.count(operation, said.0);
        self.show(operation, key, said);
    }

    /// The same for a write, which is in the log, too.
    pub(super) fn record_write(&self, operation: &'static str, key: &Key<'_>, said: Said) {
        self.count(operation, said.0);
        self.show_write(operation, key, said);
    }

    pub(super) fn count(&self, operation: &'static str, status: &'static str) {
        self.shared.metrics.operation(operation, status);
    }

    /// Notes in the caller's audit trail what was done.
    fn audit(&self, operation: &'static str, key: Option<&Key<'_>>, version: Version) {
        let version = Some(version).filter(|version| *version != Version::ABSENT);
        self.shared.access.audit_of(self.caller, operation, key.map(Key::as_str), version, || self.shared.clock.now());
    }

    /// Below `debug` the log costs a look at the level.
    pub(super) fn show_write(&self, operation: &'static str, key: &Key<'_>, said: Said) {
        self.show(operation, Some(key), said);
        let (status, version) = (said.0, said.1.get());
        let (tenant_id, request_id) = (self.shared.settings.tenant.as_str(), self.id.as_str());
        tracing::debug!(tenant_id, key = key.as_str(), operation, request_id, status, version, "write");
    }

    fn show(&self, operation: &'static str, key: Option<&Key<'_>>, (status, version): Said) {
        let seen = Seen {
            protocol: "http",
            operation,
            status,
            namespace: self.caller.namespace,
            key: key.map(Key::as_str),
            version: version.get(),
        };
        self.shared.monitor.show(|| self.shared.clock.now(), &seen);
        if status == "success" {
            self.audit(operation, key, version);
        }
    }
}
