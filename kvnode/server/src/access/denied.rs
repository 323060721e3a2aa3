//! Why a caller is turned away. Each is a sentence that says what to do, and none repeats what was presented.

use thiserror::Error;

use crate::accounts::api_key::{Operation, Scope};
use crate::accounts::rate::TooManyRequests;
use crate::accounts::token::TokenError;

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Denied {
    #[error("This needs a token or an API key, as 'Authorization: Bearer …' or 'X-API-Key: …'.")]
    Nobody,
    #[error("The header Authorization must be 'Bearer', a space, and a token or an API key.")]
    BadAuthorization,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("The token is void: its account is gone or has a new password; log in again.")]
    Void,
    #[error("What was presented is no token and no API key of this tenant; the key may have been deleted.")]
    Unknown,
    #[error("The account is inactive: it is being deleted.")]
    Inactive,
    #[error("This is about an account, and no API key has one; log in and send the access token.")]
    NoAccount,
    #[error("The API key may not {}: its scope is {}; use a key with a wider one.", operation.as_str(), scope.as_str())]
    Scope { scope: Scope, operation: Operation },
    #[error("This path needs the master API key, as 'Authorization: Bearer …' or 'X-API-Key: …'.")]
    NoAdmin,
    #[error(
        "This node has no master API key, so it answers this path on its own machine only; \
         set --admin-key-file to use it from elsewhere."
    )]
    Elsewhere,
    #[error(transparent)]
    TooOften(#[from] TooManyRequests),
}

/// What a protocol answers to a [`Denied`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Who is there? With the challenge for `WWW-Authenticate`.
    Unauthorized { challenge: &'static str },
    /// It is known who is there, and not enough.
    Forbidden,
    /// Not now.
    Later { seconds: u64 },
}

impl Denied {
    pub(crate) const fn denial(self) -> Denial {
        match self {
            Self::Nobody | Self::NoAdmin => Denial::Unauthorized { challenge: "Bearer" },
            Self::BadAuthorization => Denial::Unauthorized { challenge: r#"Bearer error="invalid_request""# },
            Self::Token(error) => Denial::Unauthorized { challenge: error.challenge() },
            Self::Void => Denial::Unauthorized {
                challenge: r#"Bearer error="invalid_token", error_description="The token was revoked""#,
            },
            Self::Unknown => Denial::Unauthorized {
                challenge: r#"Bearer error="invalid_token", error_description="Nobody is known by it""#,
            },
            Self::Inactive | Self::NoAccount | Self::Scope { .. } | Self::Elsewhere => Denial::Forbidden,
            Self::TooOften(TooManyRequests { retry_after_seconds }) => Denial::Later { seconds: retry_after_seconds },
        }
    }

    /// For programs.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Nobody | Self::NoAdmin | Self::BadAuthorization | Self::Unknown => "Unauthorized",
            Self::Token(TokenError::Expired) => "TokenExpired",
            Self::Token(_) => "TokenRefused",
            Self::Void => "TokenRevoked",
            Self::Inactive => "AccountInactive",
            Self::NoAccount => "NoAccount",
            Self::Scope { .. } => "ScopeTooSmall",
            Self::Elsewhere => "Forbidden",
            Self::TooOften(_) => "TooManyRequests",
        }
    }
}
