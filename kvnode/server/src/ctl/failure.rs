//! Why a command did not do what it was asked to: a sentence for people, an exit code for scripts.

use std::fmt;

/// The exit codes, as the help tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The node answered, and the answer is no.
    Refused = 1,
    /// The command line, or a file it names, is wrong.
    WrongUse = 2,
    /// No node answers, or its answer broke off.
    Unreachable = 3,
    /// The node does not accept the key.
    Unauthorized = 4,
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    sentence: String,
}

impl Failure {
    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, sentence: sentence.into() }
    }

    pub(super) fn wrong_use(sentence: impl Into<String>) -> Self {
        Self { kind: Kind::WrongUse, sentence: sentence.into() }
    }

    pub(super) fn unreachable(sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Unreachable, sentence: sentence.into() }
    }

    pub(super) fn unauthorized(sentence: impl Into<String>) -> Self {
        Self { kind: Kind::Unauthorized, sentence: sentence.into() }
    }

    /// What a command prints could not be printed, to a file that is full for example.
    pub(super) fn unwritten(error: &std::io::Error) -> Self {
        Self::wrong_use(format!("The output cannot be written: {error}."))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::unwritten(&error)
    }
}
