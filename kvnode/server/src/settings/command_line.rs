//! The command line: flags out of the catalogue, and the page that `--help` shows. What clap finds wrong is said in one
//! sentence that names the flag, because that is what an operator sees in the log of a pod that does not start.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use super::SettingsError;
use super::catalogue;
use super::layers::Setting;

const EXAMPLE: &str = "\
Example: one node, in memory, for a tenant called dev
  kvnode --tenant dev --bind 127.0.0.1 &
  curl -X PUT localhost:3000/dev/kv/greeting \\
    -H 'Content-Type: application/json' -d '{\"value\":\"hello\"}'
  curl localhost:3000/dev/kv/greeting

A running node is looked at and worked with by: kvnode ctl (kvnode ctl --help)

A flag beats its variable, a variable beats the config file.
A wrong setting ends the program with exit code 2 and one sentence on standard error.";

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Asked {
    Run(BTreeMap<&'static str, String>),
    /// Text for standard output: the help or the version.
    Show(String),
}

pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, SettingsError> {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Asked::Show(error.render().to_string()));
        }
        Err(error) => return Err(sentence(&error)),
    };
    let given = catalogue::ALL.iter().filter_map(|setting| {
        let flag = setting.flag?;
        Some((flag, matches.get_one::<String>(flag)?.clone()))
    });
    Ok(Asked::Run(given.collect()))
}

fn command() -> Command {
    let flags = catalogue::ALL.iter().filter_map(|setting| {
        let flag = setting.flag?;
        let help = format!("{}{} [default: {}]", setting.help, env_note(setting), setting.default);
        Some(
            Arg::new(flag)
                .long(flag)
                .value_name(setting.placeholder)
                .help(help)
                .help_heading(setting.group)
                .action(ArgAction::Set)
                .allow_hyphen_values(true),
        )
    });
    Command::new("kvnode")
        .version(env!("CARGO_PKG_VERSION"))
        .about("One node of a tenant's key-value cluster.")
        .args(flags)
        .after_help(format!("{}\n{EXAMPLE}", settings_without_flag()))
}

fn env_note(setting: &Setting) -> String {
    setting.variable.map_or_else(String::new, |variable| format!(" [env: {variable}]"))
}

fn settings_without_flag() -> String {
    let lines = catalogue::ALL.iter().filter(|setting| setting.flag.is_none()).map(|setting| {
        let variable = setting.variable.map(|variable| format!("{variable}={}", setting.placeholder));
        let key = setting.file_key.map(|key| format!("'{key}' in the config file"));
        let names = [variable, key].into_iter().flatten().collect::<Vec<_>>().join(", ");
        format!("  {names}\n          {} [default: {}]\n", setting.help, setting.default)
    });
    format!("Settings without a flag:\n{}", lines.collect::<String>())
}

fn sentence(error: &clap::Error) -> SettingsError {
    let named = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => name.clone(),
        _ => "an argument".to_owned(),
    };
    let flag = |name: String| name.split(' ').next().unwrap_or_default().to_owned();
    match error.kind() {
        ErrorKind::UnknownArgument => SettingsError::UnknownFlag { name: named(ContextKind::InvalidArg) },
        ErrorKind::InvalidValue => SettingsError::FlagWithoutValue { name: flag(named(ContextKind::InvalidArg)) },
        ErrorKind::ArgumentConflict => SettingsError::FlagTwice { name: flag(named(ContextKind::InvalidArg)) },
        ErrorKind::InvalidUtf8 => SettingsError::NotUtf8,
        _ => SettingsError::CommandLine { reason: error.kind().to_string() },
    }
}
