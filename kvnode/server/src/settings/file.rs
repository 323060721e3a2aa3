//! The config file: YAML with the names of the flags. The YAML crate is used in this file only, so that it can be
//! exchanged; what leaves it is text by name, to be judged by the same rules as a flag's text.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml::Value;

use super::SettingsError;
use super::catalogue;
use super::layers::ConfigFile;

/// Far more than all settings need; a larger file is surely not the one that was meant.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn read(path: &Path) -> Result<ConfigFile, SettingsError> {
    let unreadable = |reason: String| SettingsError::Unreadable { what: "config file", path: path.to_owned(), reason };
    let bytes = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if bytes > CONFIG_BYTES_MAX {
        return Err(unreadable(format!("it has {bytes} bytes, more than {CONFIG_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let value: Value = serde_yaml::from_str(&text)
        .map_err(|error| SettingsError::NotYaml { path: path.to_owned(), reason: error.to_string() })?;
    let mut values = BTreeMap::new();
    flatten(path, "", value, &mut values)?;
    for key in values.keys() {
        if !catalogue::ALL.iter().any(|setting| setting.file_key == Some(key.as_str())) {
            return Err(SettingsError::UnknownKey { path: path.to_owned(), key: key.clone() });
        }
    }
    Ok(ConfigFile { path: path.to_owned(), values })
}

fn flatten(
    path: &Path,
    prefix: &str,
    value: Value,
    values: &mut BTreeMap<String, String>,
) -> Result<(), SettingsError> {
    let wrong = |reason: &str| SettingsError::NotYaml { path: path.to_owned(), reason: reason.to_owned() };
    let text = match value {
        Value::Null if prefix.is_empty() => return Ok(()),
        Value::Mapping(mapping) => {
            for (key, value) in mapping {
                let Value::String(key) = key else { return Err(wrong("a key is not text")) };
                let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
                flatten(path, &name, value, values)?;
            }
            return Ok(());
        }
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        // The same as those texts with commas between them.
        Value::Sequence(items) if catalogue::is_list(prefix) && items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
        }
        Value::Null | Value::Sequence(_) | Value::Tagged(_) => {
            return Err(wrong(&format!("'{prefix}' is neither text nor a number nor true or false")));
        }
    };
    if prefix.is_empty() {
        return Err(wrong("it holds a single value in place of names and values"));
    }
    values.insert(prefix.to_owned(), text);
    Ok(())
}
