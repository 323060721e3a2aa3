//! Where a node's settings came from, kept so that they can be put together again when a file has changed: the same
//! flags and variables beat the same keys of the file, and the same rules judge them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::layers::Layers;
use super::live::LiveSettings;
use super::machine::Machine;
use super::{Settings, SettingsError, catalogue, file, settings, shown};

#[derive(Clone)]
pub(super) struct Origin {
    flags: Arc<BTreeMap<&'static str, String>>,
    variables: Arc<BTreeMap<&'static str, OsString>>,
    pub(super) machine: Machine,
    /// The settings that a config file can give, by their keys in it, as text.
    told: BTreeMap<&'static str, String>,
    files: Vec<PathBuf>,
}

/// What is another than before, each in a way that can be logged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) taken_over: Vec<Change>,
    /// These hold from the next start on.
    pub(crate) not_at_run_time: Vec<Change>,
    /// Secrets by the words for them.
    pub(crate) secrets: Vec<&'static str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) setting: &'static str,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Origin {
    pub(super) fn new(
        flags: BTreeMap<&'static str, String>,
        environment: &dyn Fn(&str) -> Option<OsString>,
        machine: Machine,
    ) -> Self {
        let variables = catalogue::ALL.iter().filter_map(|setting| setting.variable);
        let variables = variables.filter_map(|name| Some((name, environment(name)?))).collect();
        Self {
            flags: Arc::new(flags),
            variables: Arc::new(variables),
            machine,
            told: BTreeMap::new(),
            files: Vec::new(),
        }
    }

    /// Reads the files and puts everything together.
    pub(super) fn settings(&self) -> Result<Settings, SettingsError> {
        let mut layers = Layers { flags: &self.flags, variables: &self.variables, file: None };
        if let Some(config) = layers.given(&catalogue::CONFIG)? {
            layers.file = Some(file::read(Path::new(&config.text))?);
        }
        let mut origin = self.clone();
        origin.told = told(&layers)?;
        let files = catalogue::FILES.iter().map(|setting| layers.given(setting));
        origin.files = files
            .filter_map(|given| Some(given.transpose()?.map(|given| given.text.into())))
            .collect::<Result<_, _>>()?;
        settings(&layers, &origin)
    }
}

fn told(layers: &Layers<'_>) -> Result<BTreeMap<&'static str, String>, SettingsError> {
    let mut told = BTreeMap::new();
    for setting in catalogue::ALL {
        let Some(key) = setting.file_key else { continue };
        let text = layers.given(setting)?.map_or_else(|| setting.default.to_owned(), |given| given.text);
        told.insert(key, text);
    }
    Ok(told)
}

impl Settings {
    /// The files these settings come from: their content decides, so a change of it has to be noticed.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.origin.files
    }

    /// The settings as they would be if the node was started at this moment.
    pub(crate) fn again(&self) -> Result<Self, SettingsError> {
        self.origin.settings()
    }

    /// What is another in `newer`, which was put together after `older`; both are of the node that runs with `self`.
    pub(crate) fn changes(&self, older: &Self, newer: &Self) -> Changes {
        let mut changes = Changes::default();
        for (setting, to) in &newer.origin.told {
            let text = |settings: &Self| settings.origin.told.get(setting).cloned().unwrap_or_default();
            let (before, running) = (text(older), text(self));
            if before == *to {
                continue;
            }
            if catalogue::is_live(setting) {
                changes.taken_over.push(Change { setting, from: before, to: to.clone() });
            } else if running != *to {
                changes.not_at_run_time.push(Change { setting, from: running, to: to.clone() });
            }
        }
        changes.secrets = older.live.now().other_secrets(&newer.live.now());
        changes
    }

    /// From here on the node lives by what `newer` says, as far as that can change.
    pub(crate) fn take_over(&self, newer: &Self) -> Arc<LiveSettings> {
        let mut live = LiveSettings::clone(&newer.live.now());
        live.shown = shown::taken_over(&self.live.now().shown, &live.shown);
        let live = Arc::new(live);
        self.live.replace(Arc::clone(&live));
        live
    }
}

/// Variables may hold secrets, so only names are shown.
impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Origin")
            .field("flags", &self.flags.keys())
            .field("variables", &self.variables.keys())
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
