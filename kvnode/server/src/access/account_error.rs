//! Why nothing came of a request about an account. None of the sentences says more than its caller may know: whether a
//! name exists is told to who wants to register it, and to nobody who wants to log in.

use std::fmt;

use thiserror::Error;

use super::Denied;
use crate::accounts::hashing::HashingError;
use crate::untold::Untold;

#[derive(Debug, Error)]
pub(crate) enum AccountError {
    #[error(
        "There are no accounts here: the node has no key to sign tokens with; start it with --secret-file or the \
         variable SECRET_KEY."
    )]
    Off,
    #[error("Nobody can register here: the setting auth.registration is false.")]
    RegistrationOff,
    #[error("{0}")]
    Taken(Taken),
    #[error("The user name or the password is wrong.")]
    WrongLogin,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error("There is no room for the account: memory is full. Delete keys, or raise the memory limit.")]
    NoRoom,
    #[error("The account was changed by somebody else at the same moment; nothing was done, try again.")]
    Contended,
    #[error("There are {count} API keys already, as many as there may be; delete some.")]
    TooManyApiKeys { count: usize },
    #[error(transparent)]
    Untold(#[from] Untold),
}

/// Which of two names somebody else has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(super) username: bool,
    pub(super) email: bool,
}

impl Taken {
    pub(super) fn refuse_any(self) -> Result<(), AccountError> {
        if self == Self::default() { Ok(()) } else { Err(AccountError::Taken(self)) }
    }
}

impl AccountError {
    pub(super) fn email_taken() -> Self {
        Self::Taken(Taken { email: true, username: false })
    }

    pub(super) fn username_taken() -> Self {
        Self::Taken(Taken { username: true, email: false })
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self { username: true, email: true } => "The user name and the email address are taken; choose others.",
            Self { username: true, .. } => "The user name is taken; choose another.",
            Self { .. } => "The email address is taken; log in with it, or register with another.",
        })
    }
}
