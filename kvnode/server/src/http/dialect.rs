//! What differs between the three families of paths. The path selects one of these tables, never another store and never
//! another handler.

use http::StatusCode;

use crate::access::Door;

#[derive(Debug)]
pub(super) struct Dialect {
    /// What the body of a PUT is.
    pub(super) put: PutBody,
    /// The `status` member in the answer to a PUT.
    pub(super) stored: Option<&'static str>,
    /// How a request is answered whose form is right and whose content is not.
    pub(super) unfit: StatusCode,
    /// Whether a DELETE of nothing is answered like a DELETE of something.
    pub(super) absent_is_deleted: bool,
    /// Whether entries that are created without a ttl get the one of the settings.
    pub(super) default_ttl: bool,
    /// Who is let in.
    pub(super) door: Door,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PutBody {
    /// `{value, ttl?, tags?}`, all of the entry to be.
    Envelope,
    /// The value itself.
    Value,
    /// `{value?, ttl?, tags?}`, where what is left out stays as it is.
    Changes,
}

/// `/{tenant}/…`
pub(super) static TENANT: Dialect = Dialect {
    put: PutBody::Envelope,
    stored: Some("stored"),
    unfit: StatusCode::BAD_REQUEST,
    absent_is_deleted: true,
    default_ttl: false,
    door: Door::Data,
};

/// `/…`
pub(super) static BARE: Dialect = Dialect {
    put: PutBody::Value,
    stored: Some("stored"),
    unfit: StatusCode::BAD_REQUEST,
    absent_is_deleted: false,
    default_ttl: false,
    door: Door::Data,
};

/// `/api/v1/…` and `/{tenant}/api/v1/…`
pub(super) static VERSIONED: Dialect = Dialect {
    put: PutBody::Changes,
    stored: None,
    unfit: StatusCode::UNPROCESSABLE_ENTITY,
    absent_is_deleted: false,
    default_ttl: true,
    door: Door::User,
};
