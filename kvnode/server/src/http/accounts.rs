//! Accounts over HTTP: `auth/register`, `auth/login`, `auth/refresh` and `auth/me`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use uuid::Uuid;

use super::answer::json;
use super::body::ReadBody;
use super::caller;
use super::dialect::VERSIONED;
use super::members::Members;
use super::problem::Problem;
use super::target::OwnTenant;
use crate::access::accounts::{NewAccount, Session, login, refresh, register};
use crate::access::changing::{Changed, Changes, change};
use crate::access::leaving::leave;
use crate::access::{Account, AccountError};
use crate::accounts::hashing::HashingError;
use crate::accounts::names::{Email, Username};
use crate::accounts::password::Password;
use crate::shared::Shared;

const REGISTRATION: &str = r#"{"username": "…", "email": "…", "password": "…"}"#;
const LOGIN: &str = r#"{"username": "…", "password": "…"}"#;
const REFRESH: &str = r#"{"refresh_token": "…"}"#;
const CHANGES: &str = r#"{"email"?: "…", "password"?: "…"}"#;

#[derive(Serialize)]
struct User<'a> {
    username: &'a str,
    email: &'a str,
    tenant_id: Uuid,
    is_active: bool,
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
}

/// The answer to who registers: the account, and the tokens that open it.
#[derive(Serialize)]
struct Registered<'a> {
    tenant_id: Uuid,
    #[serde(flatten)]
    tokens: Tokens<'a>,
    user: User<'a>,
}

/// The answer to who has changed its password.
#[derive(Serialize)]
struct Reopened<'a> {
    #[serde(flatten)]
    user: User<'a>,
    #[serde(flatten)]
    tokens: Tokens<'a>,
}

impl<'a> User<'a> {
    fn of(account: &'a Account) -> Self {
        let Account { tenant_id, username, email, is_active, .. } = account;
        Self { username, email, tenant_id: *tenant_id, is_active: *is_active }
    }
}

impl<'a> Tokens<'a> {
    fn of(session: &'a Session) -> Self {
        let tokens = &session.tokens;
        Self {
            access_token: &tokens.access,
            refresh_token: &tokens.refresh,
            token_type: "bearer",
            expires_in: tokens.expires_in,
        }
    }
}

/// Who sends a request about its own account.
pub(super) struct Owner(Account);

impl FromRequestParts<Arc<Shared>> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        OwnTenant::from_request_parts(parts, shared).await?;
        caller::account(parts, shared).map(Self)
    }
}

pub(super) async fn sign_up(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let body = of_stranger(&shared, request).await?;
    let wanted = registration(&body.bytes).map_err(|problem| problem.told_in(&VERSIONED))?;
    let session = register(&shared, wanted).await?;
    let answer = Registered {
        tenant_id: session.account.tenant_id,
        tokens: Tokens::of(&session),
        user: User::of(&session.account),
    };
    Ok((StatusCode::CREATED, private(json(&answer))).into_response())
}

pub(super) async fn sign_in(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let body = of_stranger(&shared, request).await?;
    let (username, password) = credentials(&body.bytes).map_err(|problem| problem.told_in(&VERSIONED))?;
    // A password that nobody can have is as wrong as any other.
    let password = Password::presented(password).map_err(|_| AccountError::WrongLogin)?;
    let session = login(&shared, &username, password).await?;
    Ok(private(json(&Tokens::of(&session))))
}

pub(super) async fn renew(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let body = of_stranger(&shared, request).await?;
    let token = refresh_token(&body.bytes).map_err(|problem| problem.told_in(&VERSIONED))?;
    let session = refresh(&shared, &token)?;
    Ok(private(json(&Tokens::of(&session))))
}

pub(super) async fn me(Owner(account): Owner) -> Response {
    private(json(&User::of(&account)))
}

pub(super) async fn change_me(
    State(shared): State<Arc<Shared>>,
    Owner(account): Owner,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = shared.bodies.read(&parts.headers, body).await?;
    let changes = wanted_changes(&body.bytes).map_err(|problem| problem.told_in(&VERSIONED))?;
    let answer = match change(&shared, &account, changes).await? {
        Changed::Account(account) => json(&User::of(&account)),
        Changed::Session(session) => json(&Reopened { user: User::of(&session.account), tokens: Tokens::of(&session) }),
    };
    Ok(private(answer))
}

pub(super) async fn delete_me(State(shared): State<Arc<Shared>>, Owner(account): Owner) -> Result<Response, Problem> {
    leave(&shared, &account).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The body of a request that comes before its sender is known.
async fn of_stranger(shared: &Arc<Shared>, request: Request) -> Result<ReadBody, Problem> {
    let (mut parts, body): (Parts, Body) = request.into_parts();
    OwnTenant::from_request_parts(&mut parts, shared).await?;
    caller::stranger(&parts, shared)?;
    shared.bodies.read(&parts.headers, body).await
}

fn registration(body: &[u8]) -> Result<NewAccount, Problem> {
    let mut members = Members::parse(body, REGISTRATION)?;
    let username: Username = unfit("BadUsername", members.required("username")?.parse())?;
    let email: Email = unfit("BadEmail", members.required("email")?.parse())?;
    let password = members.required("password")?;
    members.end()?;
    Ok(NewAccount { username, email, password: chosen(password)? })
}

fn credentials(body: &[u8]) -> Result<(String, String), Problem> {
    let mut members = Members::parse(body, LOGIN)?;
    let found = (members.required("username")?, members.required("password")?);
    members.end()?;
    Ok(found)
}

fn refresh_token(body: &[u8]) -> Result<String, Problem> {
    let mut members = Members::parse(body, REFRESH)?;
    let token = members.required("refresh_token")?;
    members.end()?;
    Ok(token)
}

fn wanted_changes(body: &[u8]) -> Result<Changes, Problem> {
    let mut members = Members::parse(body, CHANGES)?;
    let email = members.text("email")?.map(|text| unfit("BadEmail", text.parse())).transpose()?;
    let password = members.text("password")?.map(chosen).transpose()?;
    members.end()?;
    if email.is_none() && password.is_none() {
        return Err(Problem::unfit("BadBody", format!("Nothing is to be changed; send {CHANGES}.")));
    }
    Ok(Changes { email, password })
}

fn unfit<T, E: std::fmt::Display>(code: &'static str, parsed: Result<T, E>) -> Result<T, Problem> {
    parsed.map_err(|error| Problem::unfit(code, error.to_string()))
}

fn chosen(password: String) -> Result<Password, Problem> {
    Password::chosen(password).map_err(|flaws| {
        let sentences: Vec<_> = flaws.iter().map(ToString::to_string).collect();
        Problem::unfit("BadPassword", sentences.join(" "))
    })
}

/// Nobody between here and the client may keep a token, or show one account's answer to another.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        let (status, code) = match &error {
            AccountError::Denied(denied) => return (*denied).into(),
            AccountError::Off => (StatusCode::NOT_IMPLEMENTED, "AccountsOff"),
            AccountError::RegistrationOff => (StatusCode::FORBIDDEN, "RegistrationOff"),
            AccountError::Taken(_) => (StatusCode::CONFLICT, "Taken"),
            AccountError::TooManyApiKeys { .. } => (StatusCode::CONFLICT, "TooManyApiKeys"),
            AccountError::WrongLogin => (StatusCode::UNAUTHORIZED, "WrongLogin"),
            AccountError::NoRoom => (StatusCode::INSUFFICIENT_STORAGE, "MemoryFull"),
            AccountError::Hashing(_) | AccountError::Contended => (StatusCode::SERVICE_UNAVAILABLE, "Busy"),
            AccountError::Untold(_) => (StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
        };
        let problem = Self::new(status, code, error.to_string());
        match error {
            AccountError::WrongLogin => {
                problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            AccountError::Hashing(_) | AccountError::Contended => {
                problem.with_header(header::RETRY_AFTER, HashingError::RETRY_AFTER_SECONDS.into())
            }
            _ => problem,
        }
    }
}
