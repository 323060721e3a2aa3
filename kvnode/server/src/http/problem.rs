//! The one form of an answer that says no: a sentence for people, twice under the names different clients look for, and
//! a code for programs.

use std::fmt;

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use kvnode_core::patch::PatchError;
use kvnode_core::store::change::ChangeError;
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::Key;
use kvnode_core::store::limits::InputError;
use kvnode_core::store::outcome::Refusal;
use serde::Serialize;
use thiserror::Error;

use super::dialect::Dialect;
use crate::untold::Untold;

#[derive(Debug, Error)]
#[error("{sentence}")]
pub(crate) struct Problem {
    status: Status,
    code: &'static str,
    sentence: String,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What is sent was quoted from a request, which may be a megabyte of one word.
const SENTENCE_BYTES_MAX: usize = 2000;

/// Of a sentence that is too long, as much of its end: what to do about it stands there.
const END_BYTES: usize = 500;

#[derive(Clone, Copy, Debug)]
enum Status {
    Fixed(StatusCode),
    /// The request can be read, and what it asks for cannot be meant: the dialects have different codes for it.
    Unfit,
}

#[derive(Serialize)]
struct Body<'p> {
    error: &'p str,
    detail: &'p str,
    code: &'p str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, sentence: impl Into<String>) -> Self {
        Self { status: Status::Fixed(status), code, sentence: shortened(sentence.into()), header: None }
    }

    pub(crate) fn malformed(code: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, sentence)
    }

    /// Of the wrong shape, type or size, though well-formed.
    pub(super) fn unfit(code: &'static str, sentence: impl Into<String>) -> Self {
        Self { status: Status::Unfit, code, sentence: shortened(sentence.into()), header: None }
    }

    /// Memory for bodies is short; it will not be for long.
    pub(crate) fn busy() -> Self {
        let sentence = "Too many large bodies are on their way at once; nothing was done, try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Busy", sentence)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    pub(crate) fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// As this dialect says it.
    pub(super) fn told_in(self, dialect: &Dialect) -> Self {
        match self.status {
            Status::Fixed(_) => self,
            Status::Unfit => Self { status: Status::Fixed(dialect.unfit), ..self },
        }
    }

    /// As the reason to refuse a whole batch; items are counted from 1.
    pub(super) fn in_item(self, number: usize) -> Self {
        let sentence = format!("Item {number}: {} Nothing of the batch was stored.", self.sentence);
        Self { status: Status::Unfit, sentence, ..self }
    }

    /// As what is wrong with a line of a dump, or with what is done with it; `far` says how much of it was taken.
    pub(super) fn in_line(self, number: u64, far: &dyn fmt::Display) -> Self {
        let sentence = format!("Line {number}: {} {far}", self.sentence);
        Self { sentence, ..self }
    }

    /// As what ended the taking of a dump behind this line.
    pub(super) fn behind_line(self, number: u64, far: &dyn fmt::Display) -> Self {
        let sentence = format!("{} It was taken up to line {number}: {far}.", self.sentence);
        Self { sentence, ..self }
    }

    pub(super) fn into_sentence(self) -> String {
        self.sentence
    }

    /// Why a write of this key was refused.
    pub(super) fn refused(key: &Key<'_>, refusal: &Refusal) -> Self {
        let key = key.as_str();
        match refusal {
            Refusal::VersionMismatch { expected, .. } => {
                let sentence = format!("Version mismatch for key '{key}'. {refusal}.");
                match expected {
                    Condition::IfVersion(_) => Self::new(StatusCode::CONFLICT, "VersionMismatch", sentence),
                    _ => Self::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", sentence),
                }
            }
            Refusal::Change(ChangeError::Patch(PatchError::Absent)) => {
                let sentence = format!("Key '{key}' was not found. {refusal}");
                Self::new(StatusCode::NOT_FOUND, "NotFound", sentence)
            }
            Refusal::Change(error) => {
                let problem = match error {
                    ChangeError::Patch(error) => Self::from(error.clone()),
                    ChangeError::Limit(error) => Self::from(error.clone()),
                    _ => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "ValueUnfit", error.to_string()),
                };
                let sentence = format!("Key '{key}' was not written. {}", problem.sentence);
                Self { sentence, ..problem }
            }
            Refusal::MemoryFull { .. }
            | Refusal::QuotaExceeded(_)
            | Refusal::IdempotencyKeyReused
            | Refusal::AnswersFull { .. }
            | Refusal::NotServed => {
                let (status, code) = match refusal {
                    Refusal::QuotaExceeded(_) => (StatusCode::INSUFFICIENT_STORAGE, "QuotaExceeded"),
                    Refusal::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "IdempotencyKeyReused"),
                    Refusal::AnswersFull { .. } => (StatusCode::SERVICE_UNAVAILABLE, "AnswersFull"),
                    Refusal::NotServed => (StatusCode::SERVICE_UNAVAILABLE, "NotServed"),
                    _ => (StatusCode::INSUFFICIENT_STORAGE, "MemoryFull"),
                };
                Self::new(status, code, format!("Key '{key}' was not written. {refusal}"))
            }
        }
    }
}

fn shortened(sentence: String) -> String {
    if sentence.len() <= SENTENCE_BYTES_MAX {
        return sentence;
    }
    let end = sentence.ceil_char_boundary(sentence.len() - END_BYTES);
    let begin = sentence.floor_char_boundary(SENTENCE_BYTES_MAX - END_BYTES);
    format!("{} … {}", &sentence[..begin], &sentence[end..])
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body { error: &self.sentence, detail: &self.sentence, code: self.code };
        let text = serde_json::to_vec(&body).expect("three texts are always JSON");
        let status = match self.status {
            Status::Fixed(status) => status,
            Status::Unfit => StatusCode::BAD_REQUEST,
        };
        let mut response = (status, [(header::CONTENT_TYPE, "application/json")], text).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<Untold> for Problem {
    fn from(untold: Untold) -> Self {
        let (status, code) = match untold {
            Untold::Recovering { .. } => (StatusCode::SERVICE_UNAVAILABLE, "Recovering"),
            Untold::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "DiskFull"),
            Untold::DiskBehind => (StatusCode::SERVICE_UNAVAILABLE, "DiskBehind"),
            Untold::Unconfirmed | Untold::Unknown => (StatusCode::GATEWAY_TIMEOUT, "OutcomeUnknown"),
            Untold::OnlyAPart => (StatusCode::NOT_IMPLEMENTED, "OnlyAPart"),
        };
        let problem = Self::new(status, code, untold.to_string());
        if status == StatusCode::SERVICE_UNAVAILABLE {
            problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
        } else {
            problem
        }
    }
}

impl From<InputError> for Problem {
    fn from(error: InputError) -> Self {
        let status = match &error {
            InputError::ValueTooLarge { .. } => Status::Fixed(StatusCode::PAYLOAD_TOO_LARGE),
            InputError::TooManyTags { .. } | InputError::TagTooLong { .. } => {
                Status::Fixed(StatusCode::UNPROCESSABLE_ENTITY)
            }
            InputError::JsonMalformed { .. } | InputError::JsonTooDeep => Status::Fixed(StatusCode::BAD_REQUEST),
            InputError::KeyBlank { .. }
            | InputError::KeyTooLong { .. }
            | InputError::KeyControlCharacter { .. }
            | InputError::KeyPartTooLong { .. }
            | InputError::TtlTooLong { .. }
            | InputError::PageLimit { .. }
            | InputError::DumpedVersion { .. } => Status::Unfit,
        };
        Self { status, code: error.code(), sentence: shortened(error.to_string()), header: None }
    }
}

impl From<PatchError> for Problem {
    fn from(error: PatchError) -> Self {
        let status = match &error {
            PatchError::NotUtf8 { .. }
            | PatchError::NotJson { .. }
            | PatchError::TooDeep { .. }
            | PatchError::NullBody => Status::Fixed(StatusCode::BAD_REQUEST),
            PatchError::NotOperations { .. } => Status::Unfit,
            PatchError::Absent => Status::Fixed(StatusCode::NOT_FOUND),
            PatchError::TestFailed { .. } => Status::Fixed(StatusCode::CONFLICT),
            PatchError::ResultTooLarge { .. } => Status::Fixed(StatusCode::PAYLOAD_TOO_LARGE),
            PatchError::TooManyOperations
            | PatchError::BadPointer { .. }
            | PatchError::NoTarget { .. }
            | PatchError::MoveIntoItself { .. }
            | PatchError::ResultTooDeep { .. }
            | PatchError::CopiesTooLarge { .. }
            | PatchError::TooMuchWork => Status::Fixed(StatusCode::UNPROCESSABLE_ENTITY),
        };
        Self { status, code: error.code(), sentence: shortened(error.to_string()), header: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_keeps_its_beginning_and_its_end() {
        for length in [10, 2000, 2001, 1 << 20] {
            let sentence = format!("Begin {} end.", "ü".repeat(length));
            let kept = Problem::malformed("Code", sentence.clone()).into_sentence();
            assert!(kept.starts_with("Begin ü") && kept.ends_with("ü end."));
            assert_eq!(kept == sentence, sentence.len() <= SENTENCE_BYTES_MAX);
            assert!(kept.len() <= SENTENCE_BYTES_MAX + " … ".len());
        }
    }
}
