//! What the node was told to be: flags, variables and config file put together, checked, and turned into types that
//! cannot hold a wrong value. Nothing after this module looks at a flag or a variable again.

pub mod access;
mod catalogue;
pub mod cluster;
mod command_line;
pub mod cors;
mod file;
mod layers;
pub mod live;
pub mod logs;
pub mod machine;
pub mod names;
mod origin;
pub mod persistence;
mod quantities;
pub mod secret;
pub(crate) mod shown;
pub mod timeouts;
mod tls;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use kvnode_core::store::Eviction;
use kvnode_core::store::attributes::Ttl;
use kvnode_core::store::limits::{Limits, TTL_SECONDS_MAX};
use thiserror::Error;

use cluster::ClusterSettings;
use command_line::Asked;
use layers::{Layers, Setting, Source};
use live::{Live, LiveSettings};
use logs::{LogFormat, LogLevel};
use machine::Machine;
use names::{ApiPrefix, HostName, NodeName, TenantName};
use origin::Origin;
use persistence::{Persistence, Recover};
use timeouts::Timeouts;

/// Less holds no useful store; the process itself takes a few mebibytes.
const MEMORY_LIMIT_MIN: u64 = 1 << 20;

/// No machine has more, and sums of such figures cannot overflow.
const MEMORY_LIMIT_MAX: u64 = 1 << 50;

/// Data may take four fifths of the memory; the rest is for connections, buffers and the allocator's waste.
const DATA_PART_OF_MEMORY: (u64, u64) = (4, 5);

const TOMBSTONE_RETENTION_DEFAULT: Duration = Duration::from_hours(1);

/// A version that is forgotten at once would come twice; one kept for a month fills the memory with the dead.
const TOMBSTONE_RETENTION: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24 * 30);

/// A page of the longest keys must stay a small answer.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 1..=4096;

/// A value is held in memory whole, once for each request that carries it.
const VALUE_BYTES: std::ops::RangeInclusive<u64> = 1..=64 << 20;

const TAGS: std::ops::RangeInclusive<usize> = 0..=1000;

/// A request that takes this long is felt by people, and there are few of them on a node that is well.
const SLOW_REQUEST_DEFAULT: Duration = Duration::from_secs(1);

/// No request takes longer than a minute.
const SLOW_REQUEST: std::ops::RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(60);

/// More threads than the largest machines have cores are a slip of the finger.
const THREADS: std::ops::RangeInclusive<usize> = 1..=1024;

#[derive(Clone, Debug)]
pub struct Settings {
    pub tenant: TenantName,
    pub name: NodeName,
    pub bind: IpAddr,
    pub port: u16,
    /// None: nobody can speak the Redis protocol to this node.
    pub resp_port: Option<u16>,
    /// The same for clients that know clusters.
    pub resp_cluster_port: Option<u16>,
    /// The host that cluster clients are told to use.
    pub advertise: Option<HostName>,
    /// None: no second listener.
    pub metrics_port: Option<u16>,
    pub memory_limit: u64,
    pub eviction: Eviction,
    pub tombstone_retention: Duration,
    pub api_prefix: ApiPrefix,
    /// None: the node has no identity and keeps nothing.
    pub data_dir: Option<PathBuf>,
    pub persistence: Persistence,
    pub recover: Recover,
    /// None: this node is all there is.
    pub cluster: Option<ClusterSettings>,
    pub threads: usize,
    pub cpu_limit_cores: f64,
    pub log_format: LogFormat,
    pub metrics: bool,
    pub environment: Environment,
    pub timeouts: Timeouts,
    /// What the config file may change while the node runs.
    pub live: Live,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Production,
    Development,
}

/// What to do, as the command line has it.
#[derive(Debug)]
pub enum Request {
    Run(Box<Settings>),
    /// Text for standard output, then exit code 0.
    Show(String),
}

/// Why the node does not start: each a sentence for standard error, with exit code 2.
#[derive(Debug, Error)]
pub enum SettingsError {
    #[error("Unknown flag {name}; kvnode --help lists the flags.")]
    UnknownFlag { name: String },
    #[error("The flag {name} needs a value; kvnode --help lists the flags.")]
    FlagWithoutValue { name: String },
    #[error("The flag {name} is given more than once; give it once.")]
    FlagTwice { name: String },
    #[error("The command line is not UTF-8; write it with UTF-8 characters only.")]
    NotUtf8,
    #[error("The command line is wrong: {reason}; kvnode --help shows how it is written.")]
    CommandLine { reason: String },
    #[error("The tenant is missing; give --tenant NAME or the variable TENANT, for example kvnode --tenant dev.")]
    TenantMissing,
    #[error("The setting {source_of} {reason}.")]
    Invalid { source_of: Source, reason: String },
    #[error("The {what} {} cannot be read: {reason}.", path.display())]
    Unreadable { what: &'static str, path: PathBuf, reason: String },
    #[error("The config file {} is not what is expected: {reason}.", path.display())]
    NotYaml { path: PathBuf, reason: String },
    #[error("The config file {} has the unknown key '{key}'; its keys are the names of the flags.", path.display())]
    UnknownKey { path: PathBuf, key: String },
    #[error("The setting {source_of} needs a folder to keep data in; give one with --data-dir DIR.")]
    NoDataDir { source_of: Source },
    #[error(
        "The setting {source_of} is about kept data, and none are kept; give --persistence everysec or always, too."
    )]
    NoPersistence { source_of: Source },
    #[error("No memory limit can be found on this machine; give --memory-limit, for example --memory-limit 512Mi.")]
    NoMemoryLimit,
}

/// `arguments` include the program's name. `environment` looks up a variable.
pub fn resolve(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &dyn Fn(&str) -> Option<OsString>,
    machine: &Machine,
) -> Result<Request, SettingsError> {
    let flags = match command_line::parse(arguments)? {
        Asked::Show(text) => return Ok(Request::Show(text)),
        Asked::Run(flags) => flags,
    };
    Origin::new(flags, environment, *machine).settings().map(|settings| Request::Run(Box::new(settings)))
}

fn settings(layers: &Layers<'_>, origin: &Origin) -> Result<Settings, SettingsError> {
    let machine = &origin.machine;
    let Some(tenant) = layers.parsed(&catalogue::TENANT, str::parse)? else {
        return Err(SettingsError::TenantMissing);
    };
    let port = layers.parsed(&catalogue::PORT, port_number)?.unwrap_or(3000);
    let metrics_port = layers.parsed(&catalogue::METRICS_PORT, port_number)?.unwrap_or(9090);
    let threads = layers.parsed(&catalogue::THREADS, |text| quantities::number(text, THREADS))?;
    let (data_dir, persistence, recover) = disk(layers)?;
    Ok(Settings {
        name: node_name(layers)?,
        bind: layers.parsed(&catalogue::BIND, address)?.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        port,
        resp_port: resp_port(layers, &catalogue::RESP_PORT, 6379)?,
        resp_cluster_port: resp_port(layers, &catalogue::RESP_CLUSTER_PORT, 6380)?,
        advertise: layers.parsed(&catalogue::ADVERTISE, str::parse)?,
        metrics_port: Some(metrics_port).filter(|&metrics| metrics != 0 && metrics != port),
        memory_limit: memory_limit(layers, machine)?,
        eviction: layers.parsed(&catalogue::EVICTION, eviction)?.unwrap_or_default(),
        tombstone_retention: layers
            .parsed(&catalogue::TOMBSTONE_RETENTION, |text| quantities::duration(text, TOMBSTONE_RETENTION))?
            .unwrap_or(TOMBSTONE_RETENTION_DEFAULT),
        api_prefix: api_prefix(layers, &tenant)?,
        persistence,
        recover,
        data_dir,
        // No flag makes a node part of a cluster yet.
        cluster: None,
        threads: threads.unwrap_or_else(|| machine.serving_threads()),
        cpu_limit_cores: machine.cpu_cores,
        log_format: layers.parsed(&catalogue::LOG_FORMAT, str::parse)?.unwrap_or_else(LogFormat::for_stdout),
        metrics: layers.parsed(&catalogue::ENABLE_METRICS, quantities::truth)?.unwrap_or(true),
        environment: layers.parsed(&catalogue::ENVIRONMENT, str::parse)?.unwrap_or(Environment::Production),
        timeouts: Timeouts::default(),
        live: Live::new(live_settings(layers)?),
        origin: origin.clone(),
        tenant,
    })
}

fn live_settings(layers: &Layers<'_>) -> Result<LiveSettings, SettingsError> {
    Ok(LiveSettings {
        limits: limits(layers)?,
        default_ttl: layers.parsed(&catalogue::DEFAULT_TTL, default_ttl)?.flatten(),
        cors_origins: layers.parsed(&catalogue::CORS_ORIGINS, str::parse)?.unwrap_or_default(),
        access: access::resolve(layers)?,
        log_level: log_level(layers)?,
        shown: shown::all(layers)?,
        tls: tls::read(layers)?,
        slow_request: layers
            .parsed(&catalogue::SLOW_REQUEST, |text| quantities::short_time(text, SLOW_REQUEST))?
            .map_or(Some(SLOW_REQUEST_DEFAULT), |time| Some(time).filter(|time| !time.is_zero())),
    })
}

fn port_number(text: &str) -> Result<u16, String> {
    quantities::number(text, 0..=u16::MAX)
}

fn resp_port(layers: &Layers<'_>, setting: &'static Setting, default: u16) -> Result<Option<u16>, SettingsError> {
    let port = layers.parsed(setting, port_number)?.unwrap_or(default);
    Ok(Some(port).filter(|&port| port != 0))
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("is '{text}'; it must be an IP address, for example 127.0.0.1 or ::"))
}

fn eviction(text: &str) -> Result<Eviction, String> {
    match text.to_ascii_lowercase().as_str() {
        "none" => Ok(Eviction::None),
        "allkeys-lru" => Ok(Eviction::AllKeysLru),
        "volatile-ttl" => Ok(Eviction::VolatileTtl),
        _ => Err(format!("is '{text}'; it must be none, allkeys-lru or volatile-ttl")),
    }
}

fn node_name(layers: &Layers<'_>) -> Result<NodeName, SettingsError> {
    if let Some(name) = layers.parsed(&catalogue::NAME, str::parse)? {
        return Ok(name);
    }
    let host = nix::unistd::gethostname()
        .map_err(|error| error.to_string())
        .and_then(|host| host.into_string().map_err(|_| "is not UTF-8".to_owned()).and_then(|host| host.parse()));
    host.map_err(|reason| SettingsError::Invalid {
        source_of: Source::Flag("name"),
        reason: format!("is needed, because the host name cannot be used: it {reason}"),
    })
}

fn memory_limit(layers: &Layers<'_>, machine: &Machine) -> Result<u64, SettingsError> {
    let parse = |text: &str| quantities::bytes(text, MEMORY_LIMIT_MIN..=MEMORY_LIMIT_MAX);
    if let Some(limit) = layers.parsed(&catalogue::MEMORY_LIMIT, parse)? {
        return Ok(limit);
    }
    let (part, of) = DATA_PART_OF_MEMORY;
    machine.memory_bytes.map(|bytes| bytes / of * part).ok_or(SettingsError::NoMemoryLimit)
}

fn limits(layers: &Layers<'_>) -> Result<Limits, SettingsError> {
    let default = Limits::default();
    let value_bytes = layers.parsed(&catalogue::MAX_VALUE_SIZE, |text| quantities::bytes(text, VALUE_BYTES))?;
    let value_bytes = value_bytes.map(|bytes| usize::try_from(bytes).expect("the range ends far below 2^32"));
    let number = |setting: &'static Setting, range: std::ops::RangeInclusive<usize>| {
        layers.parsed(setting, |text| quantities::number(text, range))
    };
    Ok(Limits {
        key_bytes_max: number(&catalogue::MAX_KEY_SIZE, KEY_BYTES)?.unwrap_or(default.key_bytes_max),
        value_bytes_max: value_bytes.unwrap_or(default.value_bytes_max),
        tags_max: number(&catalogue::MAX_TAGS, TAGS)?.unwrap_or(default.tags_max),
        ..default
    })
}

/// Nothing and zero say that there is none.
fn default_ttl(text: &str) -> Result<Option<Ttl>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = quantities::duration(text, Duration::ZERO..=Duration::from_secs(TTL_SECONDS_MAX))?;
    Ttl::from_seconds(time.as_secs()).map_err(|error| format!("is '{text}', but: {error}"))
}

fn api_prefix(layers: &Layers<'_>, tenant: &TenantName) -> Result<ApiPrefix, SettingsError> {
    let parse = |text: &str| ApiPrefix::new(text, tenant);
    Ok(layers.parsed(&catalogue::API_PREFIX, parse)?.unwrap_or_default())
}

/// Each of these asks for the one before: a wish that would be without effect is refused.
fn disk(layers: &Layers<'_>) -> Result<(Option<PathBuf>, Persistence, Recover), SettingsError> {
    let data_dir = layers.parsed(&catalogue::DATA_DIR, folder)?;
    let persistence = layers.parsed(&catalogue::PERSISTENCE, str::parse)?.unwrap_or_default();
    let recover = layers.parsed(&catalogue::RECOVER, str::parse)?.unwrap_or_default();
    if let (None, Some(given)) = (&data_dir, layers.given(&catalogue::PERSISTENCE)?)
        && persistence != Persistence::Off
    {
        return Err(SettingsError::NoDataDir { source_of: given.source });
    }
    if let (Persistence::Off, Some(given)) = (persistence, layers.given(&catalogue::RECOVER)?) {
        return Err(SettingsError::NoPersistence { source_of: given.source });
    }
    Ok((data_dir, persistence, recover))
}

fn folder(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("is empty; it must be the path of a folder".to_owned()) } else { Ok(text.into()) }
}

fn log_level(layers: &Layers<'_>) -> Result<LogLevel, SettingsError> {
    let debug = layers.parsed(&catalogue::DEBUG, quantities::truth)?.unwrap_or(false);
    let Some(given) = layers.given(&catalogue::LOG_LEVEL)? else {
        return Ok(if debug { LogLevel::Debug } else { LogLevel::Info });
    };
    let explicit = matches!(given.source, Source::Flag(_));
    let level = given.parse(str::parse)?;
    Ok(if debug && !explicit { LogLevel::Debug } else { level })
}

impl std::str::FromStr for Environment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "production" => Ok(Self::Production),
            "development" => Ok(Self::Development),
            _ => Err(format!("is '{text}'; it must be production or development")),
        }
    }
}

#[cfg(test)]
mod tests;
