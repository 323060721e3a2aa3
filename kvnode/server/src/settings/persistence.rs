//! Whether what is written survives the process, and what is to be done when a data folder is damaged.

use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Memory alone.
    #[default]
    Off,
    /// A write is answered at once and is on the disk within a second.
    EverySecond,
    /// A write is answered when it is on the disk.
    Always,
}

/// How a start takes damage in its data folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recover {
    /// It does not start.
    #[default]
    Whole,
    /// It goes on without the records that are damaged.
    SkipDamaged,
}

impl FromStr for Persistence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "off" => Ok(Self::Off),
            "everysec" => Ok(Self::EverySecond),
            "always" => Ok(Self::Always),
            _ => Err(format!("is '{text}'; it must be off, everysec or always")),
        }
    }
}

impl FromStr for Recover {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "skip-damaged" => Ok(Self::SkipDamaged),
            _ => Err(format!("is '{text}'; the only way to recover is skip-damaged")),
        }
    }
}
