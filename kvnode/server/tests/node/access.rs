//! What the tests about callers share: a node with accounts, and requests in somebody's name.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::client::{Answer, MASTER_KEY, send};
use crate::in_process::TestNode;

pub(crate) const SIGNING_KEY: &str = "a-signing-key-of-more-than-thirty-two-bytes";
pub(crate) const PASSWORD: &str = "Correct4HorseBattery";

pub(crate) fn node() -> TestNode {
    with(&[])
}

/// Variables beside the signing key and the master key.
pub(crate) fn with(variables: &[(&str, &str)]) -> TestNode {
    TestNode::with(&[], &[&[("SECRET_KEY", SIGNING_KEY), ("ADMIN_KEY", MASTER_KEY)], variables].concat())
}

/// Somebody who can be asked for.
pub(crate) struct Person {
    address: SocketAddr,
    pub(crate) tenant_id: String,
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
}

pub(crate) async fn register(address: SocketAddr, username: &str) -> Person {
    let answer = try_register(address, username, &format!("{username}@example.com")).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    Person::of(address, &answer.json())
}

pub(crate) async fn try_register(address: SocketAddr, username: &str, email: &str) -> Answer {
    let wanted = json!({"username": username, "email": email, "password": PASSWORD});
    post(address, "register", &wanted).await
}

pub(crate) async fn log_in(address: SocketAddr, username: &str, password: &str) -> Answer {
    post(address, "login", &json!({"username": username, "password": password})).await
}

pub(crate) async fn post(address: SocketAddr, what: &str, body: &Value) -> Answer {
    send(address, "POST", &format!("/api/v1/auth/{what}"), &[], body.to_string()).await
}

pub(crate) async fn as_master(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    send(address, method, path, &[("x-api-key", MASTER_KEY)], body.to_owned()).await
}

impl Person {
    fn of(address: SocketAddr, answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned();
        Self {
            address,
            tenant_id: text("tenant_id"),
            access_token: text("access_token"),
            refresh_token: text("refresh_token"),
        }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        as_bearer(self.address, &self.access_token, method, path, body).await
    }
}

pub(crate) async fn as_bearer(address: SocketAddr, token: &str, method: &str, path: &str, body: &str) -> Answer {
    send(address, method, path, &[("authorization", &format!("Bearer {token}"))], body.to_owned()).await
}
