//! Tokens: signed claims (JWT, HS256) that say which account calls and until when. A token is believed by its signature
//! alone; whether the account still exists and has kept its password is for the caller to ask, once for each token.

use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, encode};
use kvnode_core::time::UnixMillis;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::names::Username;
use super::token_keys::TokenKeys;

/// A token with the longest user name has under 400 bytes; what is longer than this is refused before it is decoded.
pub const TOKEN_BYTES_MAX: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Opens the data.
    Access,
    /// Only buys new access tokens.
    Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenLifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

impl Default for TokenLifetimes {
    fn default() -> Self {
        Self { access: Duration::from_secs(30 * 60), refresh: Duration::from_secs(7 * 24 * 60 * 60) }
    }
}

/// Whom a token is for.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub tenant_id: Uuid,
    pub username: &'a Username,
    /// How often the account's password was set. A token of an earlier generation than the account's is void, so a new
    /// password ends all sessions; a `jti` would need a list of single tokens to do the same.
    pub generation: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    #[serde(rename = "sub")]
    pub tenant_id: Uuid,
    pub username: Box<str>,
    /// Seconds since the Unix epoch, as is `exp`.
    pub iat: u64,
    pub exp: u64,
    #[serde(rename = "type")]
    pub kind: TokenKind,
    #[serde(rename = "gen")]
    pub generation: u64,
}

impl Claims {
    pub fn new(holder: Holder<'_>, kind: TokenKind, lifetimes: &TokenLifetimes, now: UnixMillis) -> Self {
        let lifetime = match kind {
            TokenKind::Access => lifetimes.access,
            TokenKind::Refresh => lifetimes.refresh,
        };
        let iat = now.get() / 1000;
        Self {
            tenant_id: holder.tenant_id,
            username: holder.username.as_str().into(),
            iat,
            exp: iat.saturating_add(lifetime.as_secs()),
            kind,
            generation: holder.generation,
        }
    }

    /// From this moment on the token is refused. There is no grace: the node that checks is of the same cluster as the
    /// one that signed.
    pub fn expires(&self) -> UnixMillis {
        UnixMillis::default().plus_seconds(self.exp)
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenError {
    #[error("The token has expired; refresh it or log in again.")]
    Expired,
    #[error("The token's signature is wrong: no key of this tenant made it; log in again.")]
    BadSignature,
    #[error("The token has the wrong type: this is a refresh token, and an access token is needed here.")]
    NotAccess,
    #[error("The token has the wrong type: this is an access token, and a refresh token is needed here.")]
    NotRefresh,
    #[error(
        "The token is malformed: it must be three parts of base64url joined by dots, at most {TOKEN_BYTES_MAX} bytes, \
         signed with HS256; send it as it was given."
    )]
    Malformed,
}

impl TokenError {
    /// The value of `WWW-Authenticate` for the 401 (RFC 6750, 3).
    pub const fn challenge(self) -> &'static str {
        match self {
            Self::Expired => r#"Bearer error="invalid_token", error_description="The token has expired""#,
            Self::BadSignature => r#"Bearer error="invalid_token", error_description="The token's signature is wrong""#,
            Self::NotAccess | Self::NotRefresh => {
                r#"Bearer error="invalid_token", error_description="The token has the wrong type""#
            }
            Self::Malformed => r#"Bearer error="invalid_token", error_description="The token is malformed""#,
        }
    }
}

impl TokenKeys {
    /// With the current key.
    pub fn sign(&self, claims: &Claims) -> String {
        encode(&Header::new(Algorithm::HS256), claims, &self.current)
            .expect("claims are JSON, and a key signs any text")
    }

    /// With any of the keys.
    pub fn verify(&self, token: &str, wanted: TokenKind, now: UnixMillis) -> Result<Claims, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let claims = self.accepted.iter().find_map(|key| signed_claims(token, key).transpose());
        let claims = claims.unwrap_or(Err(TokenError::BadSignature))?;
        match wanted {
            _ if claims.kind == wanted => {}
            TokenKind::Access => return Err(TokenError::NotAccess),
            TokenKind::Refresh => return Err(TokenError::NotRefresh),
        }
        if now >= claims.expires() {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

/// None when another key may have signed it.
fn signed_claims(token: &str, key: &DecodingKey) -> Result<Option<Claims>, TokenError> {
    match decode::<Claims>(token, key, &signature_only()) {
        Ok(decoded) => Ok(Some(decoded.claims)),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => Ok(None),
        Err(_) => Err(TokenError::Malformed),
    }
}

/// The library would ask the machine what time it is; here the time is passed in, and our own claims are checked.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.required_spec_claims.clear();
    validation
}

#[cfg(test)]
mod tests;
