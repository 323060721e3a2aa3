//! The settings as they were given, for whoever asks a node why it behaves as it does: each by its name, with its value
//! and the place that it came from. A secret's value never gets here.

use serde::Serialize;

use super::SettingsError;
use super::catalogue;
use super::layers::{Layers, Setting};

/// What stands in place of a secret.
const REDACTED: &str = "(secret)";

/// Ends of names behind which there is a secret itself, not the name of a file with one.
const SECRET_ENDS: [&str; 4] = ["KEY", "TOKEN", "SECRET", "PASSWORD"];

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    name: &'static str,
    value: String,
    /// Where it was given; `default` when nowhere.
    from: String,
}

pub(super) fn all(layers: &Layers<'_>) -> Result<Vec<Shown>, SettingsError> {
    catalogue::ALL.iter().map(|setting| shown(setting, layers)).collect()
}

/// Those of a node that runs with the first and was then told the second: it took over only what can change.
pub(super) fn taken_over(running: &[Shown], newer: &[Shown]) -> Vec<Shown> {
    let both = running.iter().zip(newer);
    let live = |setting: &Setting| setting.file_key.is_some_and(catalogue::is_live);
    let taken = catalogue::ALL.iter().zip(both).map(|(setting, (old, new))| if live(setting) { new } else { old });
    taken.cloned().collect()
}

fn shown(setting: &Setting, layers: &Layers<'_>) -> Result<Shown, SettingsError> {
    let name = setting.flag.or(setting.file_key).or(setting.variable).unwrap_or_default();
    Ok(match layers.given(setting)? {
        None => Shown { name, value: setting.default.to_owned(), from: "default".to_owned() },
        Some(given) => {
            let value = if is_secret(setting) { REDACTED.to_owned() } else { given.text };
            Shown { name, value, from: given.source.to_string() }
        }
    })
}

fn is_secret(setting: &Setting) -> bool {
    let names = [setting.flag, setting.variable, setting.file_key].into_iter().flatten();
    names.into_iter().any(|name| SECRET_ENDS.iter().any(|end| name.to_ascii_uppercase().ends_with(end)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn every_setting_is_shown_with_its_source_and_no_secret_is() {
        let flags = BTreeMap::from([("tenant", "dev".to_owned())]);
        let secrets = catalogue::ALL.iter().filter_map(|setting| setting.variable);
        let secrets = secrets.filter(|name| SECRET_ENDS.iter().any(|end| name.ends_with(end)));
        let mut variables: BTreeMap<_, _> = secrets.map(|name| (name, OsString::from("opensesame"))).collect();
        variables.insert("PORT", OsString::from("3001"));
        let shown = all(&Layers { flags: &flags, variables: &variables, file: None }).expect("all can be read");
        assert_eq!(shown.len(), catalogue::ALL.len());
        let find = |name: &str| shown.iter().find(|shown| shown.name == name).expect("it is shown");
        assert_eq!((find("tenant").value.as_str(), find("tenant").from.as_str()), ("dev", "--tenant"));
        assert_eq!((find("port").value.as_str(), find("port").from.as_str()), ("3001", "the variable PORT"));
        assert_eq!((find("threads").from.as_str()), "default");
        assert_eq!(find("ADMIN_KEY").value, REDACTED);
        assert!(shown.iter().all(|shown| !shown.value.contains("opensesame")));
    }
}
