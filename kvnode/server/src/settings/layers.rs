//! Flag beats variable beats config file. A value keeps the place it came from, so that a complaint about it can name
//! the thing the user has to change.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use super::SettingsError;

/// One setting and the names it goes by.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) flag: Option<&'static str>,
    pub(super) variable: Option<&'static str>,
    pub(super) file_key: Option<&'static str>,
    pub(super) placeholder: &'static str,
    /// As shown by `--help`.
    pub(super) default: &'static str,
    pub(super) group: &'static str,
    pub(super) help: &'static str,
}

/// A value as text, and where it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Flag(&'static str),
    Variable(&'static str),
    File { path: PathBuf, key: String },
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(formatter, "--{name}"),
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::File { path, key } => write!(formatter, "'{key}' in {}", path.display()),
        }
    }
}

/// What the user said, by layer.
#[derive(Debug)]
pub(super) struct Layers<'o> {
    pub(super) flags: &'o BTreeMap<&'static str, String>,
    pub(super) variables: &'o BTreeMap<&'static str, OsString>,
    pub(super) file: Option<ConfigFile>,
}

/// The config file, flattened: `limits.maxTags` → `50`.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) values: BTreeMap<String, String>,
}

impl Layers<'_> {
    pub(super) fn given(&self, setting: &Setting) -> Result<Option<Given>, SettingsError> {
        if let Some(name) = setting.flag
            && let Some(text) = self.flags.get(name)
        {
            return Ok(Some(Given { text: text.clone(), source: Source::Flag(name) }));
        }
        if let Some(name) = setting.variable
            && let Some(text) = self.variables.get(name)
        {
            let source = Source::Variable(name);
            let Ok(text) = text.clone().into_string() else {
                return Err(SettingsError::Invalid { source_of: source, reason: "is not UTF-8".to_owned() });
            };
            return Ok(Some(Given { text, source }));
        }
        let (Some(file), Some(key)) = (&self.file, setting.file_key) else { return Ok(None) };
        let source = |key: &str| Source::File { path: file.path.clone(), key: key.to_owned() };
        Ok(file.values.get(key).map(|text| Given { text: text.clone(), source: source(key) }))
    }

    /// The parsed value, or none if nobody gave one.
    pub(super) fn parsed<T>(
        &self,
        setting: &Setting,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        self.given(setting)?.map(|given| given.parse(parse)).transpose()
    }
}

impl Given {
    /// `parse` says what is wrong in words that follow on the name of the source.
    pub(super) fn parse<T>(self, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, SettingsError> {
        parse(&self.text).map_err(|reason| SettingsError::Invalid { source_of: self.source, reason })
    }
}
