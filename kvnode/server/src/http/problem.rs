//! The one form of an answer that says no: a sentence for people, twice under the names different clients look for, and
//! a code for programs.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::limits::InputError;
use kvnode_core::store::outcome::Refusal;
use serde::Serialize;

use crate::shared::Untold;

#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    sentence: String,
    header: Option<(HeaderName, &'static str)>,
}

#[derive(Serialize)]
struct Body<'p> {
    error: &'p str,
    detail: &'p str,
    code: &'p str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { status, code, sentence: sentence.into(), header: None }
    }

    pub(crate) fn malformed(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, sentence)
    }

    /// Memory for bodies is short; it will not be for long.
    pub(crate) fn busy() -> Self {
        let sentence = "Too many large bodies are on their way at once; nothing was done, try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", sentence).with_header(header::RETRY_AFTER, "1")
    }

    pub(crate) fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body { error: &self.sentence, detail: &self.sentence, code: self.code };
        let text = serde_json::to_vec(&body).expect("three texts are always JSON");
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], text).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<Untold> for Problem {
    fn from(untold: Untold) -> Self {
        match untold {}
    }
}

impl From<InputError> for Problem {
    fn from(error: InputError) -> Self {
        let status = match &error {
            InputError::ValueTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            InputError::TooManyTags { .. } | InputError::TagTooLong { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            InputError::KeyBlank { .. }
            | InputError::KeyTooLong { .. }
            | InputError::KeyControlCharacter { .. }
            | InputError::KeyPartTooLong { .. }
            | InputError::JsonMalformed { .. }
            | InputError::JsonTooDeep
            | InputError::TtlTooLong { .. }
            | InputError::PageLimit { .. } => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl Problem {
    /// Why a write of this key was refused.
    pub(super) fn refused(key: &str, refusal: &Refusal) -> Self {
        let (status, code) = match refusal {
            Refusal::VersionMismatch { expected: Condition::IfVersion(_), .. } => {
                (StatusCode::CONFLICT, "VersionMismatch")
            }
            Refusal::VersionMismatch { .. } => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
            Refusal::Change(_) => (StatusCode::UNPROCESSABLE_ENTITY, "ValueUnfit"),
            Refusal::MemoryFull { .. } => (StatusCode::INSUFFICIENT_STORAGE, "MemoryFull"),
        };
        let sentence = match refusal {
            Refusal::VersionMismatch { .. } => format!("Version mismatch for key '{key}'. {refusal}."),
            Refusal::Change(_) | Refusal::MemoryFull { .. } => format!("Key '{key}' was not written. {refusal}"),
        };
        Self::new(status, code, sentence)
    }
}
