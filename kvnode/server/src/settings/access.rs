//! Who may use the node, as it was told: keys, tokens, whether strangers are let in, how long a login lasts, and how often
//! anyone may ask.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kvnode_core::store::usage::Quota;
use zeroize::Zeroizing;

use super::layers::{Given, Layers, Setting, Source};
use super::secret::{self, Secret};
use super::{SettingsError, catalogue, quantities};
use crate::accounts::rate::Rate;
use crate::accounts::token::TokenLifetimes;
use crate::accounts::token_keys::{TokenKeys, TokenKeysError};

/// A token that lives for less is over before its client has used it; one that lives for longer than a day outlives the
/// trust it was given for.
const ACCESS_TOKEN_LIFETIME: std::ops::RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24);

/// From the longest access token to a year.
const REFRESH_TOKEN_LIFETIME: std::ops::RangeInclusive<Duration> =
    Duration::from_hours(1)..=Duration::from_hours(24 * 365);

/// More than a node can answer is no limit.
const REQUESTS: std::ops::RangeInclusive<u32> = 1..=10_000_000;

/// An account that may have nothing is better not made.
const KEYS: std::ops::RangeInclusive<u64> = 1..=1 << 40;

const BYTES: std::ops::RangeInclusive<u64> = 1..=1 << 50;

#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// Whether the tenant's own keys may be used without a token or an API key.
    pub anonymous: bool,
    pub registration: bool,
    pub admin_key: Option<Secret>,
    /// The first is the one this node presents; each is accepted.
    pub peer_tokens: Vec<Secret>,
    /// None: there are no accounts.
    pub token_keys: Option<Arc<TokenKeys>>,
    pub lifetimes: TokenLifetimes,
    /// What each account may have.
    pub quota: Quota,
    pub account_rate: Option<Rate>,
    pub address_rate: Option<Rate>,
}

impl AccessSettings {
    /// The secrets that differ, by the words for them.
    pub(super) fn other_secrets(&self, other: &Self) -> Vec<&'static str> {
        let differing = [
            (self.admin_key != other.admin_key, "the master API key"),
            (self.peer_tokens != other.peer_tokens, "the peer tokens"),
            (self.token_keys != other.token_keys, "the keys that sign tokens"),
        ];
        differing.into_iter().filter_map(|(differs, words)| differs.then_some(words)).collect()
    }
}

pub(super) fn resolve(layers: &Layers<'_>) -> Result<AccessSettings, SettingsError> {
    let truth = |setting| layers.parsed(setting, quantities::truth);
    let admin_key = said(layers, "admin key file", &catalogue::ADMIN_KEY_FILE, &catalogue::ADMIN_KEY)?;
    let peer_tokens = said(layers, "peer token file", &catalogue::PEER_TOKEN_FILE, &catalogue::PEER_TOKEN)?;
    let token_keys = said(layers, "secret file", &catalogue::SECRET_FILE, &catalogue::SECRET_KEY)?;
    let parse_keys = |text: &str| {
        let sentence = |error: TokenKeysError| error.to_string().trim_end_matches('.').to_owned();
        TokenKeys::parse(text).map_err(|error| format!("cannot sign tokens: {}", sentence(error)))
    };
    Ok(AccessSettings {
        anonymous: truth(&catalogue::ANONYMOUS)?.unwrap_or(true),
        registration: truth(&catalogue::REGISTRATION)?.unwrap_or(true),
        admin_key: admin_key.map(|said| said.parsed("the key", Secret::new)).transpose()?,
        peer_tokens: peer_tokens.map(|said| said.parsed("a token", Secret::lines)).transpose()?.unwrap_or_default(),
        token_keys: token_keys.map(|said| said.parsed("a key", parse_keys)).transpose()?.map(Arc::new),
        lifetimes: lifetimes(layers)?,
        quota: quota(layers)?,
        account_rate: rate(layers, &catalogue::ACCOUNT_RATE, &catalogue::ACCOUNT_BURST)?,
        address_rate: rate(layers, &catalogue::ADDRESS_RATE, &catalogue::ADDRESS_BURST)?,
    })
}

/// A secret's text, and whom to blame for it.
enum Said {
    InFile { text: Zeroizing<String>, path: std::path::PathBuf, what: &'static str },
    AsValue(Given),
}

/// The file beats the value of the same layer; the variable with the value beats a file named in the config file.
fn said(
    layers: &Layers<'_>,
    what: &'static str,
    file: &Setting,
    value: &Setting,
) -> Result<Option<Said>, SettingsError> {
    let file = layers.given(file)?;
    let value = layers.given(value)?;
    let from_config = file.as_ref().is_some_and(|file| matches!(file.source, Source::File { .. }));
    match (file, value) {
        (Some(file), value) if value.is_none() || !from_config => {
            let path = Path::new(&file.text).to_owned();
            Ok(Some(Said::InFile { text: secret::read(&path, what)?, path, what }))
        }
        (_, value) => Ok(value.map(Said::AsValue)),
    }
}

impl Said {
    fn parsed<T>(self, thing: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, SettingsError> {
        match self {
            Self::AsValue(given) => given.parse(parse),
            Self::InFile { text, path, what } => parse(&text).map_err(|reason| {
                let reason = format!("{thing} in it {reason}");
                SettingsError::Unreadable { what, path, reason }
            }),
        }
    }
}

fn lifetimes(layers: &Layers<'_>) -> Result<TokenLifetimes, SettingsError> {
    let default = TokenLifetimes::default();
    let lifetime = |counted: &Setting, unit: Duration, timed: &Setting, range: std::ops::RangeInclusive<Duration>| {
        let units = |duration: &Duration| u32::try_from(duration.as_secs() / unit.as_secs()).unwrap_or(u32::MAX);
        let whole = units(range.start()).max(1)..=units(range.end());
        let counted = layers.parsed(counted, |text| quantities::number(text, whole))?;
        match counted {
            Some(count) => Ok(Some(unit * count)),
            None => layers.parsed(timed, |text| quantities::duration(text, range)),
        }
    };
    let (minute, day) = (Duration::from_mins(1), Duration::from_hours(24));
    let access =
        lifetime(&catalogue::ACCESS_TOKEN_EXPIRE_MINUTES, minute, &catalogue::ACCESS_TOKEN_TTL, ACCESS_TOKEN_LIFETIME)?;
    let refresh =
        lifetime(&catalogue::REFRESH_TOKEN_EXPIRE_DAYS, day, &catalogue::REFRESH_TOKEN_TTL, REFRESH_TOKEN_LIFETIME)?;
    Ok(TokenLifetimes { access: access.unwrap_or(default.access), refresh: refresh.unwrap_or(default.refresh) })
}

fn quota(layers: &Layers<'_>) -> Result<Quota, SettingsError> {
    let keys = layers.parsed(&catalogue::ACCOUNT_KEYS, |text| quantities::number(text, KEYS))?;
    let bytes = layers.parsed(&catalogue::ACCOUNT_BYTES, |text| quantities::bytes(text, BYTES))?;
    Ok(Quota { keys_max: keys.unwrap_or(Quota::NONE.keys_max), bytes_max: bytes.unwrap_or(Quota::NONE.bytes_max) })
}

/// A burst by itself limits nothing, so it is not asked for.
fn rate(layers: &Layers<'_>, per_second: &Setting, burst: &Setting) -> Result<Option<Rate>, SettingsError> {
    let number = |setting| layers.parsed(setting, |text| quantities::number(text, REQUESTS));
    let positive = |number: u32| NonZeroU32::new(number).expect("the range begins at 1");
    let (per_second, burst) = (number(per_second)?, number(burst)?);
    Ok(per_second.map(|rate| Rate { per_second: positive(rate), burst: positive(burst.unwrap_or(rate)) }))
}
