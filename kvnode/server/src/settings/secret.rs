//! A secret that was given to the node. It can be compared with what a caller presents, and that is all: it has no
//! text form, so it cannot end up in a log, an error or a status page.

use std::fmt;
use std::hint::black_box;
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::SettingsError;

/// Keys are short; a file of this size was named by mistake.
const SECRET_BYTES_MAX: u64 = 4096;

/// Only the hash is kept: hashes have one length, so comparing them takes the same time for every guess.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim_end_matches(['\r', '\n']);
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || !printable {
            return Err("must be 1 or more printable ASCII characters without spaces".to_owned());
        }
        Ok(Self(hash(text.as_bytes())))
    }

    /// One secret a line: the first is the present one, the others were it and are still accepted.
    pub(super) fn lines(text: &str) -> Result<Vec<Self>, String> {
        let lines = text.lines().filter(|line| !line.is_empty()).map(Self::new).collect::<Result<Vec<_>, _>>()?;
        if lines.is_empty() { Self::new("").map(|_| lines) } else { Ok(lines) }
    }

    /// Looks at every byte of the hashes, whatever the first ones say.
    pub fn is(&self, presented: &[u8]) -> bool {
        let presented = hash(presented);
        let difference = self
            .0
            .iter()
            .zip(presented)
            .fold(0_u8, |difference, (ours, theirs)| black_box(difference | (ours ^ theirs)));
        difference == 0
    }

    /// Enough to tell two secrets apart for one who has both, and nothing to find one by: a few digits of a hash of the
    /// hash.
    pub fn fingerprint(&self) -> String {
        const SHOWN_BYTES: usize = 6;
        hash(&self.0)[..SHOWN_BYTES].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

/// The text of a file that holds secrets; `what` names it in the complaint.
pub(super) fn read(path: &Path, what: &'static str) -> Result<Zeroizing<String>, SettingsError> {
    let unreadable = |reason: String| SettingsError::Unreadable { what, path: path.to_owned(), reason };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if metadata.len() > SECRET_BYTES_MAX {
        return Err(unreadable(format!("it has more than {SECRET_BYTES_MAX} bytes")));
    }
    std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| unreadable(error.to_string()))
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_itself_and_nothing_else() {
        let secret = Secret::new("opensesame\n").expect("a good key");
        assert!(secret.is(b"opensesame"));
        for wrong in ["", "opensesam", "opensesame\n", "Opensesame", "opensesame "] {
            assert!(!secret.is(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn of_several_lines_each_is_a_secret() {
        let secrets = Secret::lines("new\nold\n\n").expect("good tokens");
        assert_eq!(secrets.len(), 2);
        assert!(secrets[0].is(b"new") && secrets[1].is(b"old"));
        for wrong in ["", "\n", "new\ntwo words"] {
            assert!(Secret::lines(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_secret_protects_nothing_and_is_refused() {
        for wrong in ["", "\n", "two words", "schlüssel"] {
            assert!(Secret::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
