//! Which path leads to which handler. The same patterns stand under the prefixes of several dialects.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{any, delete, get, post};

use super::call::{Context, Handling, Taking};
use super::dialect::{BARE, Dialect, TENANT, VERSIONED};
use super::{accounts, admin, api_keys, audit, batch, health, lines, listing, pages, peers, read, write};
use crate::settings::Settings;
use crate::shared::Shared;

/// A path behind a prefix, and what metrics call it under each of them. Metrics do not say which prefix was set for the
/// versioned paths, so that dashboards fit every node.
#[derive(Debug)]
pub(super) struct Pattern {
    behind: &'static str,
    labels: [&'static str; 4],
}

/// A prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mount {
    Bare,
    Tenant,
    Versioned,
    TenantVersioned,
}

macro_rules! pattern {
    ($behind:literal) => {
        Pattern {
            behind: $behind,
            labels: [
                $behind,
                concat!("/{tenant}", $behind),
                concat!("/api/v1", $behind),
                concat!("/{tenant}/api/v1", $behind),
            ],
        }
    };
}

static KEYS: Pattern = pattern!("/kv");
static KEY: Pattern = pattern!("/kv/{key}");
static KEY_LEFT_OUT: Pattern = pattern!("/kv/");
/// Where batches are posted. The key of that name is reached there, too.
static BATCH: Pattern = pattern!("/kv/batch");
static EXISTS: Pattern = pattern!("/kv/{key}/exists");
static TTL: Pattern = pattern!("/kv/{key}/ttl");
static COUNT: Pattern = pattern!("/kv/stats/count");
static PEERS: Pattern = pattern!("/peers");
static DIAG: Pattern = pattern!("/diag");
static HEALTH: Pattern = pattern!("/health");
static LIVE: Pattern = pattern!("/health/live");
static READY: Pattern = pattern!("/health/ready");
static METRICS: Pattern = pattern!("/metrics");

static REGISTER: Pattern = pattern!("/auth/register");
static LOGIN: Pattern = pattern!("/auth/login");
static REFRESH: Pattern = pattern!("/auth/refresh");
static ME: Pattern = pattern!("/auth/me");
static API_KEYS: Pattern = pattern!("/keys");
static API_KEY: Pattern = pattern!("/keys/{id}");
static AUDIT: Pattern = pattern!("/audit");

static PATTERNS: [&Pattern; 20] = [
    &KEYS,
    &KEY,
    &KEY_LEFT_OUT,
    &BATCH,
    &EXISTS,
    &TTL,
    &COUNT,
    &PEERS,
    &DIAG,
    &HEALTH,
    &LIVE,
    &READY,
    &METRICS,
    &REGISTER,
    &LOGIN,
    &REFRESH,
    &ME,
    &API_KEYS,
    &API_KEY,
    &AUDIT,
];

impl Mount {
    pub(super) const ALL: [Self; 4] = [Self::Bare, Self::Tenant, Self::Versioned, Self::TenantVersioned];

    pub(super) fn dialect(self) -> &'static Dialect {
        match self {
            Self::Bare => &BARE,
            Self::Tenant => &TENANT,
            Self::Versioned | Self::TenantVersioned => &VERSIONED,
        }
    }

    fn path(self, Pattern { behind, .. }: &Pattern, settings: &Settings) -> String {
        format!("{}{behind}", self.prefix(settings))
    }

    /// The `endpoint` label of a key's path.
    pub(super) fn key_label(self) -> &'static str {
        KEY.labels[self as usize]
    }

    /// What stands before every path of it.
    pub(super) fn prefix(self, settings: &Settings) -> String {
        let prefix = settings.api_prefix.as_str();
        match self {
            Self::Bare => String::new(),
            Self::Tenant => "/{tenant}".to_owned(),
            Self::Versioned => prefix.to_owned(),
            Self::TenantVersioned => format!("/{{tenant}}{prefix}"),
        }
    }
}

/// Everything about data, and how the node is, under all prefixes.
pub(super) fn of_dialects(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    Mount::ALL
        .into_iter()
        .fold(Router::new(), |routes, mount| routes.merge(data(mount, shared)).merge(node(mount, shared)))
}

fn data(mount: Mount, shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let path = |pattern| mount.path(pattern, &shared.settings);
    let key = get(Handling(read::get))
        .put(Taking(write::put::<Body>))
        .patch(Taking(write::patch))
        .delete(Handling(write::delete));
    let routes =
        Router::new().route(&path(&KEY), key.clone()).route(&path(&KEY_LEFT_OUT), any(Handling(read::left_out)));
    let routes = match mount {
        Mount::Bare => routes.route(&path(&KEYS), get(Handling(lines::list))),
        Mount::Tenant => routes.route(&path(&KEYS), get(Handling(listing::page))),
        Mount::Versioned | Mount::TenantVersioned => routes
            .route(&path(&KEYS), get(Handling(pages::page)).post(Taking(write::create)))
            .route(&path(&BATCH), key.post(Taking(batch::create_all)))
            .route(&path(&EXISTS), get(Handling(read::exists)))
            .route(&path(&TTL), get(Handling(read::ttl)))
            .route(&path(&COUNT), get(Handling(listing::count)))
            .route(&path(&AUDIT), get(Handling(audit::list))),
    };
    routes.with_state(Context { shared: Arc::clone(shared), dialect: mount.dialect() })
}

fn node(mount: Mount, shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let path = |pattern| mount.path(pattern, &shared.settings);
    let routes = Router::new().route(&path(&LIVE), get(health::live)).route(&path(&READY), get(health::ready));
    match mount {
        Mount::Bare | Mount::Tenant => {
            let routes = routes
                .route(&path(&HEALTH), get(health::summary))
                .route(&path(&PEERS), get(peers::list))
                .route(&path(&DIAG), get(admin::diag::diag));
            if shared.settings.metrics { routes.route(&path(&METRICS), get(super::metrics)) } else { routes }
        }
        Mount::Versioned | Mount::TenantVersioned => {
            accounts_and_keys(mount, routes.route(&path(&HEALTH), get(health::dependencies)), shared)
        }
    }
}

/// Accounts and API keys.
fn accounts_and_keys(mount: Mount, routes: Router<Arc<Shared>>, shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let path = |pattern| mount.path(pattern, &shared.settings);
    routes
        .route(&path(&REGISTER), post(accounts::sign_up))
        .route(&path(&LOGIN), post(accounts::sign_in))
        .route(&path(&REFRESH), post(accounts::renew))
        .route(&path(&ME), get(accounts::me).put(accounts::change_me).delete(accounts::delete_me))
        .route(&path(&API_KEYS), get(api_keys::list).post(api_keys::create))
        .route(&path(&API_KEY), delete(api_keys::delete))
}

/// What stands before the key in paths that name one of this tenant's, and what such a path means. Where two are the same,
/// the first one counts, as for the router.
pub(super) fn before_keys(settings: &Settings) -> impl Iterator<Item = (String, Mount)> {
    let own = |mount: Mount| mount.prefix(settings).replace("{tenant}", settings.tenant.as_str());
    let mounts = [Mount::Bare, Mount::Versioned, Mount::Tenant, Mount::TenantVersioned];
    mounts.into_iter().map(move |mount| (format!("{}/kv/", own(mount)), mount))
}

/// The `endpoint` label of every path in here.
pub(super) fn labels(settings: &Settings) -> impl Iterator<Item = (String, &'static str)> {
    let all = Mount::ALL.into_iter().flat_map(|mount| PATTERNS.into_iter().map(move |pattern| (mount, pattern)));
    all.map(|(mount, pattern)| (mount.path(pattern, settings), pattern.labels[mount as usize]))
}
