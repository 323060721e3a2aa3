//! Every setting of the node, once: its flag, its variable, its key in the config file, and what `--help` says of it.
//! A setting stands here only when it has an effect; the flag of something that does not exist yet must be refused,
//! because a user who is not told would believe it works.

use super::layers::Setting;

const IDENTITY: &str = "Who this node is";
const LISTENING: &str = "Where it listens";
const STORE: &str = "What it holds";
const ACCESS: &str = "Who may use and administer it";
const RUNNING: &str = "How it runs and what it tells";

pub(super) const TENANT: Setting = Setting {
    flag: Some("tenant"),
    variable: Some("TENANT"),
    file_key: Some("tenant"),
    placeholder: "NAME",
    default: "required",
    group: IDENTITY,
    help: "The tenant; also the first segment of its URLs",
};

pub(super) const NAME: Setting = Setting {
    flag: Some("name"),
    variable: Some("NODE_NAME"),
    file_key: Some("name"),
    placeholder: "NAME",
    default: "host name",
    group: IDENTITY,
    help: "What `node` says in answers",
};

pub(super) const BIND: Setting = Setting {
    flag: Some("bind"),
    variable: Some("BIND"),
    file_key: Some("bind"),
    placeholder: "ADDR",
    default: "0.0.0.0",
    group: LISTENING,
    help: "The address all listeners bind",
};

pub(super) const PORT: Setting = Setting {
    flag: Some("port"),
    variable: Some("PORT"),
    file_key: Some("port"),
    placeholder: "N",
    default: "3000",
    group: LISTENING,
    help: "HTTP; 0 takes a free port and logs which",
};

pub(super) const RESP_PORT: Setting = Setting {
    flag: Some("resp-port"),
    variable: Some("RESP_PORT"),
    file_key: Some("resp-port"),
    placeholder: "N",
    default: "6379",
    group: LISTENING,
    help: "Redis protocol for plain clients; 0 means none",
};

pub(super) const RESP_CLUSTER_PORT: Setting = Setting {
    flag: Some("resp-cluster-port"),
    variable: Some("RESP_CLUSTER_PORT"),
    file_key: Some("resp-cluster-port"),
    placeholder: "N",
    default: "6380",
    group: LISTENING,
    help: "Redis protocol for cluster clients; 0 means none",
};

pub(super) const ADVERTISE: Setting = Setting {
    flag: Some("advertise"),
    variable: Some("ADVERTISE"),
    file_key: Some("advertise"),
    placeholder: "HOST",
    default: "the address a client came to",
    group: LISTENING,
    help: "The host that cluster clients are told to use",
};

pub(super) const METRICS_PORT: Setting = Setting {
    flag: Some("metrics-port"),
    variable: Some("METRICS_PORT"),
    file_key: Some("metrics-port"),
    placeholder: "N",
    default: "9090",
    group: LISTENING,
    help: "Extra listener for metrics and health; 0, or the same as --port, means none",
};

pub(super) const TLS_CERT: Setting = Setting {
    flag: Some("tls-cert"),
    variable: Some("TLS_CERT"),
    file_key: Some("tls-cert"),
    placeholder: "FILE",
    default: "none: connections are plain",
    group: LISTENING,
    help: "PEM with the certificate of this node and those above it; all ports of clients then speak TLS only",
};

pub(super) const TLS_KEY: Setting = Setting {
    flag: Some("tls-key"),
    variable: Some("TLS_KEY"),
    file_key: Some("tls-key"),
    placeholder: "FILE",
    default: "none",
    group: LISTENING,
    help: "PEM with the private key of --tls-cert",
};

pub(super) const TLS_CA: Setting = Setting {
    flag: Some("tls-ca"),
    variable: Some("TLS_CA"),
    file_key: Some("tls-ca"),
    placeholder: "FILE",
    default: "none",
    group: LISTENING,
    help: "PEM with the certificates that may vouch for clients; needs auth.clientCertificates",
};

pub(super) const CLIENT_CERTIFICATES: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("auth.clientCertificates"),
    placeholder: "WHEN",
    default: "off",
    group: LISTENING,
    help: "required: only clients with a certificate of --tls-ca are served, beside whatever else they must show",
};

pub(super) const MEMORY_LIMIT: Setting = Setting {
    flag: Some("memory-limit"),
    variable: Some("MEMORY_LIMIT"),
    file_key: Some("memory-limit"),
    placeholder: "BYTES",
    default: "80 % of the cgroup's limit, or of the machine",
    group: STORE,
    help: "Memory for data, in bytes or as 512Mi; above it writes that grow the store are refused",
};

pub(super) const EVICTION: Setting = Setting {
    flag: Some("eviction"),
    variable: Some("EVICTION"),
    file_key: Some("eviction"),
    placeholder: "POLICY",
    default: "none: writes are refused",
    group: STORE,
    help: "What goes when memory is full: none, allkeys-lru or volatile-ttl",
};

pub(super) const TOMBSTONE_RETENTION: Setting = Setting {
    flag: Some("tombstone-retention"),
    variable: Some("TOMBSTONE_RETENTION"),
    file_key: Some("tombstone-retention"),
    placeholder: "TIME",
    default: "1h",
    group: STORE,
    help: "How long the version of a deleted key is remembered: 90s, 30m, 1h",
};

pub(super) const MAX_KEY_SIZE: Setting = Setting {
    flag: None,
    variable: Some("MAX_KEY_SIZE"),
    file_key: Some("limits.maxKeyBytes"),
    placeholder: "BYTES",
    default: "256",
    group: STORE,
    help: "Longest key",
};

pub(super) const MAX_VALUE_SIZE: Setting = Setting {
    flag: None,
    variable: Some("MAX_VALUE_SIZE"),
    file_key: Some("limits.maxValueBytes"),
    placeholder: "BYTES",
    default: "2Mi",
    group: STORE,
    help: "Largest value",
};

pub(super) const MAX_TAGS: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.maxTags"),
    placeholder: "N",
    default: "50",
    group: STORE,
    help: "Most tags of one entry",
};

pub(super) const DEFAULT_TTL: Setting = Setting {
    flag: None,
    variable: Some("DEFAULT_TTL"),
    file_key: Some("limits.defaultTTL"),
    placeholder: "TIME",
    default: "none: entries stay",
    group: STORE,
    help: "Time to live of entries that are created under /api/v1 without one: 3600, 60m",
};

pub(super) const API_PREFIX: Setting = Setting {
    flag: None,
    variable: Some("API_V1_PREFIX"),
    file_key: None,
    placeholder: "PATH",
    default: "/api/v1",
    group: LISTENING,
    help: "Where the versioned paths stand",
};

pub(super) const CORS_ORIGINS: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("http.corsOrigins"),
    placeholder: "ORIGINS",
    default: "none",
    group: LISTENING,
    help: "Origins whose web pages may use the interface, as a list; * for all",
};

pub(super) const DATA_DIR: Setting = Setting {
    flag: Some("data-dir"),
    variable: Some("DATA_DIR"),
    file_key: Some("data-dir"),
    placeholder: "DIR",
    default: "none",
    group: STORE,
    help: "Folder of the node's identity, and of its data if they are to be kept; made if it is not there",
};

pub(super) const PERSISTENCE: Setting = Setting {
    flag: Some("persistence"),
    variable: Some("PERSISTENCE"),
    file_key: Some("persistence"),
    placeholder: "MODE",
    default: "off",
    group: STORE,
    help: "What outlives a crash: off nothing, everysec all but the last second, always every write that was confirmed",
};

pub(super) const RECOVER: Setting = Setting {
    flag: Some("recover"),
    variable: Some("RECOVER"),
    file_key: Some("recover"),
    placeholder: "MODE",
    default: "damaged data are not started with",
    group: STORE,
    help: "skip-damaged goes on without the records that are damaged",
};

pub(super) const ADMIN_KEY_FILE: Setting = Setting {
    flag: Some("admin-key-file"),
    variable: Some("ADMIN_KEY_FILE"),
    file_key: Some("admin-key-file"),
    placeholder: "FILE",
    default: "none: /admin answers to loopback only",
    group: ACCESS,
    help: "File with the master API key",
};

pub(super) const ADMIN_KEY: Setting = Setting {
    flag: None,
    variable: Some("ADMIN_KEY"),
    file_key: None,
    placeholder: "KEY",
    default: "none",
    group: ACCESS,
    help: "The master API key itself, in place of a file",
};

pub(super) const PEER_TOKEN_FILE: Setting = Setting {
    flag: Some("peer-token-file"),
    variable: Some("PEER_TOKEN_FILE"),
    file_key: Some("peer-token-file"),
    placeholder: "FILE",
    default: "none",
    group: ACCESS,
    help: "File with the peer token, which opens /admin too; one a line, each is accepted",
};

pub(super) const PEER_TOKEN: Setting = Setting {
    flag: None,
    variable: Some("PEER_TOKEN"),
    file_key: None,
    placeholder: "TOKEN",
    default: "none",
    group: ACCESS,
    help: "The peer token itself, in place of a file",
};

pub(super) const SECRET_FILE: Setting = Setting {
    flag: Some("secret-file"),
    variable: Some("SECRET_KEY_FILE"),
    file_key: Some("secret-file"),
    placeholder: "FILE",
    default: "none: accounts are off",
    group: ACCESS,
    help: "File with the key that signs tokens, at least 32 bytes; further lines are previous keys, still accepted",
};

pub(super) const SECRET_KEY: Setting = Setting {
    flag: None,
    variable: Some("SECRET_KEY"),
    file_key: None,
    placeholder: "KEY",
    default: "none",
    group: ACCESS,
    help: "The signing key itself, in place of a file",
};

pub(super) const ANONYMOUS: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("auth.anonymous"),
    placeholder: "BOOL",
    default: "true",
    group: ACCESS,
    help: "false asks for a token or an API key on every path to data",
};

pub(super) const REGISTRATION: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("auth.registration"),
    placeholder: "BOOL",
    default: "true",
    group: ACCESS,
    help: "false lets nobody make an account",
};

pub(super) const ACCESS_TOKEN_TTL: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("auth.accessTokenTTL"),
    placeholder: "TIME",
    default: "30m",
    group: ACCESS,
    help: "How long an access token is valid",
};

pub(super) const ACCESS_TOKEN_EXPIRE_MINUTES: Setting = Setting {
    flag: None,
    variable: Some("ACCESS_TOKEN_EXPIRE_MINUTES"),
    file_key: None,
    placeholder: "N",
    default: "30",
    group: ACCESS,
    help: "The same in minutes",
};

pub(super) const REFRESH_TOKEN_TTL: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("auth.refreshTokenTTL"),
    placeholder: "TIME",
    default: "168h",
    group: ACCESS,
    help: "How long a refresh token is valid",
};

pub(super) const REFRESH_TOKEN_EXPIRE_DAYS: Setting = Setting {
    flag: None,
    variable: Some("REFRESH_TOKEN_EXPIRE_DAYS"),
    file_key: None,
    placeholder: "N",
    default: "7",
    group: ACCESS,
    help: "The same in days",
};

pub(super) const ACCOUNT_KEYS: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.maxKeysPerAccount"),
    placeholder: "N",
    default: "no limit",
    group: ACCESS,
    help: "Keys an account may have",
};

pub(super) const ACCOUNT_BYTES: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.maxBytesPerAccount"),
    placeholder: "BYTES",
    default: "no limit",
    group: ACCESS,
    help: "Bytes an account may have in keys, values and tags",
};

pub(super) const ACCOUNT_RATE: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.rateLimit.accountPerSecond"),
    placeholder: "N",
    default: "no limit",
    group: ACCESS,
    help: "Requests an account may make a second",
};

pub(super) const ACCOUNT_BURST: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.rateLimit.accountBurst"),
    placeholder: "N",
    default: "those of one second",
    group: ACCESS,
    help: "Requests an account may make at once after a pause",
};

pub(super) const ADDRESS_RATE: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.rateLimit.addressPerSecond"),
    placeholder: "N",
    default: "no limit",
    group: ACCESS,
    help: "Requests that may come from one address a second",
};

pub(super) const ADDRESS_BURST: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("limits.rateLimit.addressBurst"),
    placeholder: "N",
    default: "those of one second",
    group: ACCESS,
    help: "Requests that may come from one address at once after a pause",
};

pub(super) const THREADS: Setting = Setting {
    flag: Some("threads"),
    variable: Some("THREADS"),
    file_key: Some("threads"),
    placeholder: "N",
    default: "cores of the cgroup",
    group: RUNNING,
    help: "Threads that serve requests",
};

pub(super) const CONFIG: Setting = Setting {
    flag: Some("config"),
    variable: Some("CONFIG_FILE"),
    file_key: None,
    placeholder: "FILE",
    default: "none",
    group: RUNNING,
    help: "YAML with the names of these flags, read again when it changes; flags and variables win over it",
};

pub(super) const LOG_LEVEL: Setting = Setting {
    flag: Some("log-level"),
    variable: Some("LOG_LEVEL"),
    file_key: Some("log-level"),
    placeholder: "LEVEL",
    default: "info",
    group: RUNNING,
    help: "debug, info, warning, error or critical",
};

pub(super) const SLOW_REQUEST: Setting = Setting {
    flag: None,
    variable: None,
    file_key: Some("http.slowRequest"),
    placeholder: "TIME",
    default: "1s",
    group: RUNNING,
    help: "Requests that take this long are logged with their keys: 250ms, 1s; 0 logs none",
};

pub(super) const LOG_FORMAT: Setting = Setting {
    flag: Some("log-format"),
    variable: Some("LOG_FORMAT"),
    file_key: Some("log-format"),
    placeholder: "FORMAT",
    default: "text on a terminal, else json",
    group: RUNNING,
    help: "json or text",
};

pub(super) const ENABLE_METRICS: Setting = Setting {
    flag: None,
    variable: Some("ENABLE_METRICS"),
    file_key: None,
    placeholder: "BOOL",
    default: "true",
    group: RUNNING,
    help: "false turns /metrics off; health stays",
};

pub(super) const DEBUG: Setting = Setting {
    flag: None,
    variable: Some("DEBUG"),
    file_key: None,
    placeholder: "BOOL",
    default: "false",
    group: RUNNING,
    help: "true logs at debug unless --log-level says otherwise",
};

pub(super) const ENVIRONMENT: Setting = Setting {
    flag: None,
    variable: Some("ENVIRONMENT"),
    file_key: None,
    placeholder: "NAME",
    default: "production",
    group: RUNNING,
    help: "development sweeps expired keys every second instead of every five minutes",
};

/// Whether a key of the config file may have a list of texts.
pub(super) fn is_list(file_key: &str) -> bool {
    CORS_ORIGINS.file_key == Some(file_key)
}

/// In the order of `--help`.
pub(super) const ALL: &[&Setting] = &[
    &TENANT,
    &NAME,
    &BIND,
    &PORT,
    &RESP_PORT,
    &RESP_CLUSTER_PORT,
    &ADVERTISE,
    &METRICS_PORT,
    &API_PREFIX,
    &CORS_ORIGINS,
    &TLS_CERT,
    &TLS_KEY,
    &TLS_CA,
    &CLIENT_CERTIFICATES,
    &MEMORY_LIMIT,
    &EVICTION,
    &TOMBSTONE_RETENTION,
    &MAX_KEY_SIZE,
    &MAX_VALUE_SIZE,
    &MAX_TAGS,
    &DEFAULT_TTL,
    &DATA_DIR,
    &PERSISTENCE,
    &RECOVER,
    &ADMIN_KEY_FILE,
    &ADMIN_KEY,
    &PEER_TOKEN_FILE,
    &PEER_TOKEN,
    &SECRET_FILE,
    &SECRET_KEY,
    &ANONYMOUS,
    &REGISTRATION,
    &ACCESS_TOKEN_TTL,
    &ACCESS_TOKEN_EXPIRE_MINUTES,
    &REFRESH_TOKEN_TTL,
    &REFRESH_TOKEN_EXPIRE_DAYS,
    &ACCOUNT_KEYS,
    &ACCOUNT_BYTES,
    &ACCOUNT_RATE,
    &ACCOUNT_BURST,
    &ADDRESS_RATE,
    &ADDRESS_BURST,
    &THREADS,
    &CONFIG,
    &LOG_LEVEL,
    &LOG_FORMAT,
    &SLOW_REQUEST,
    &ENABLE_METRICS,
    &DEBUG,
    &ENVIRONMENT,
];

/// Settings that name a file whose content is read again when it changes.
pub(super) const FILES: &[&Setting] =
    &[&CONFIG, &ADMIN_KEY_FILE, &PEER_TOKEN_FILE, &SECRET_FILE, &TLS_CERT, &TLS_KEY, &TLS_CA];

/// What a running node takes over when the config file changes. Everything else waits for the next start.
const LIVE: &[&Setting] = &[
    &TLS_CERT,
    &TLS_KEY,
    &TLS_CA,
    &CLIENT_CERTIFICATES,
    &CORS_ORIGINS,
    &MAX_KEY_SIZE,
    &MAX_VALUE_SIZE,
    &MAX_TAGS,
    &DEFAULT_TTL,
    &ADMIN_KEY_FILE,
    &PEER_TOKEN_FILE,
    &SECRET_FILE,
    &ANONYMOUS,
    &REGISTRATION,
    &ACCESS_TOKEN_TTL,
    &REFRESH_TOKEN_TTL,
    &ACCOUNT_KEYS,
    &ACCOUNT_BYTES,
    &ACCOUNT_RATE,
    &ACCOUNT_BURST,
    &ADDRESS_RATE,
    &ADDRESS_BURST,
    &LOG_LEVEL,
    &SLOW_REQUEST,
];

/// Whether a running node takes over what the config file says under this key.
pub(super) fn is_live(file_key: &str) -> bool {
    LIVE.iter().any(|setting| setting.file_key == Some(file_key))
}
