//! Who a client says it is. A token or a key is looked at here and now; a password takes tens of milliseconds on a thread
//! of its own, and the client's next command waits until the answer has come back to the loop.

use std::sync::Arc;

use super::call::Call;
use super::commands::hello;
use super::failure::Failure;
use super::session::{Next, Session};
use crate::access::{AccountError, Denied, Standing};
use crate::resp::options::hello::Credentials;
use crate::resp::reply::{Protocol, Writer};

const WRONG: &str = "WRONGPASS invalid username-password pair or user is disabled.";

const NO_PASSWORD: &str = "ERR AUTH <password> called without any password configured for the default user. Are you sure \
                           your configuration is correct?";

/// The user that is everybody.
const DEFAULT_USER: &[u8] = b"default";

/// What is said once it is known who the client is.
#[derive(Clone, Debug)]
pub(super) enum Welcome {
    Auth,
    Hello { protocol: Option<Protocol>, name: Option<Box<[u8]>> },
}

impl Welcome {
    pub(super) fn say(self, session: &mut Session, writer: &mut Writer<'_>) {
        match self {
            Self::Auth => writer.ok(),
            Self::Hello { protocol, name } => hello(session, writer, protocol, name),
        }
    }
}

/// Either answers at once, or has the connection wait.
pub(super) fn log_in<'c>(
    call: &mut Call<'c, '_>,
    credentials: Credentials<'_>,
    welcome: Welcome,
) -> Result<(), Failure<'c>> {
    let access = &call.shared.access;
    let (store, now, address) = (&call.shared.store, call.executor.now, call.session.client.address.ip());
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Failure::Said(WRONG));
    let password = text(credentials.password)?;
    if let Some(username) = credentials.username.filter(|username| *username != DEFAULT_USER) {
        access.admit_stranger(address, now).map_err(of_denied)?;
        let client = Arc::clone(&call.session.client);
        let tell = move |standing| client.logged_in(standing);
        access.log_in_and_tell(store, text(username)?, password.to_owned(), now, tell).map_err(of_account)?;
        call.session.next = Next::LogIn(Box::new(welcome));
        return Ok(());
    }
    match access.standing_of(store, password, address, now) {
        Ok(standing) => call.session.stand(Some(standing)),
        Err(denied @ Denied::TooOften(_)) => return Err(of_denied(denied)),
        // Where strangers are let in, the user that is everybody has any password, and nobody needs one.
        Err(_) => match access.standing_of_stranger() {
            None => return Err(Failure::Said(WRONG)),
            Some(_) if credentials.username.is_none() => return Err(Failure::Said(NO_PASSWORD)),
            Some(standing) => call.session.stand(Some(standing)),
        },
    }
    welcome.say(call.session, &mut call.writer);
    Ok(())
}

/// Takes up what the thread that checked the password has found out.
pub(super) fn finish(session: &mut Session, writer: &mut Writer<'_>, standing: Option<Standing>) {
    let Next::LogIn(welcome) = std::mem::take(&mut session.next) else { return };
    match standing {
        None => writer.error(WRONG.as_bytes()),
        Some(standing) => {
            session.stand(Some(standing));
            welcome.say(session, writer);
        }
    }
}

pub(super) fn of_denied(denied: Denied) -> Failure<'static> {
    Failure::Told(format!("ERR {denied}"))
}

fn of_account(error: AccountError) -> Failure<'static> {
    match error {
        AccountError::Off | AccountError::WrongLogin => Failure::Said(WRONG),
        error => Failure::Told(format!("ERR {error}")),
    }
}
