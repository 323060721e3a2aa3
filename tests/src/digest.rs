//! A short word that changes when anything it was made of does: the key of what is kept between runs.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

/// 48 bits: plenty to tell a handful of versions apart, short enough for a file name.
const BYTES_SHOWN: usize = 6;

#[derive(Debug, Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn add(&mut self, part: impl AsRef<[u8]>) {
        self.0.update(part);
    }

    pub(crate) fn word(self) -> String {
        let bytes = self.0.finalize();
        bytes[..BYTES_SHOWN].iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex).collect()
    }
}

/// A file is copied into it, so that its size does not matter.
impl Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).expect("half a byte is one digit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_that_of_sha_256() {
        let mut digest = Digest::default();
        digest.add("abc");
        assert_eq!(digest.word(), "ba7816bf8f01");
    }
}
