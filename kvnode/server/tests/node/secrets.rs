//! No secret is ever told: not in a log at its loudest, not in an answer that is not the one place for it, not in metrics.

use serde_json::json;

use crate::access::{SIGNING_KEY, as_bearer, as_master, log_in, post, register, try_register};
use crate::client::{MASTER_KEY, get, send};
use crate::program::Program;

const OTHER_PASSWORD: &str = "Zebra7Crossing";
const WRONG_PASSWORD: &str = "Wrong4Guess";
const PEER_TOKEN: &str = "peer-token-that-opens-admin";

/// C39, C128. The real program, with everything on and as loud as it gets.
#[tokio::test]
async fn no_secret_is_in_any_log_answer_or_metric() {
    let flags = ["--name", "n0", "--port", "0", "--metrics-port", "0", "--log-format", "json", "--log-level", "debug"];
    let variables = [
        ("SECRET_KEY", SIGNING_KEY),
        ("ADMIN_KEY", MASTER_KEY),
        ("PEER_TOKEN", PEER_TOKEN),
        ("ENVIRONMENT", "development"),
    ];
    let mut program = Program::start(&flags, &variables);
    let address = program.address;
    let mut told = Vec::new();

    let alice = register(address, "alice").await;
    told.push(try_register(address, "alice", "other@example.com").await);
    told.push(log_in(address, "alice", WRONG_PASSWORD).await);
    told.push(post(address, "register", &json!({"username": "bo", "email": "x", "password": WRONG_PASSWORD})).await);
    told.push(post(address, "login", &json!({"username": WRONG_PASSWORD, "password": 7})).await);
    let created = as_master(address, "POST", "/api/v1/keys", r#"{"name":"n","scope":"readonly"}"#).await.json();
    let api_key = created["key"].as_str().expect("text").to_owned();
    let changed = alice.ask("PUT", "/api/v1/auth/me", &json!({"password": OTHER_PASSWORD}).to_string()).await.json();
    let token = changed["access_token"].as_str().expect("text").to_owned();
    let secrets = [
        SIGNING_KEY,
        MASTER_KEY,
        PEER_TOKEN,
        crate::access::PASSWORD,
        OTHER_PASSWORD,
        &api_key,
        &alice.access_token,
        &alice.refresh_token,
        &token,
        "$argon2id$",
    ];
    for secret in secrets {
        for (method, path) in [
            ("GET", "/dev/kv/k"),
            ("PUT", "/dev/kv/k"),
            ("GET", "/api/v1/kv"),
            ("GET", "/api/v1/audit"),
            ("GET", "/api/v1/auth/me"),
            ("GET", "/api/v1/keys"),
            ("GET", "/admin/status"),
            ("DELETE", "/api/v1/keys/0123456789abcdef"),
            ("GET", "/metrics"),
            ("GET", "/health"),
            ("GET", "/api/v1/health"),
        ] {
            told.push(as_bearer(address, secret, method, path, r#"{"value":1}"#).await);
            told.push(send(address, method, path, &[("x-api-key", secret)], r#"{"value":1}"#).await);
            let basic = format!("Basic {secret}");
            told.push(send(address, method, path, &[("authorization", &basic)], r#"{"value":1}"#).await);
        }
        told.push(post(address, "refresh", &json!({"refresh_token": format!("{secret}x")})).await);
        told.push(post(address, "login", &json!({"username": "alice", "password": format!("{secret}x")})).await);
        let shape = format!(r#"{{"username":"a","email":"b","password":["{secret}"]}}"#);
        told.push(send(address, "POST", "/api/v1/auth/register", &[], shape).await);
    }
    told.push(as_bearer(address, &token, "DELETE", "/api/v1/auth/me", "").await);
    told.push(get(address, "/metrics").await);

    program.signal(nix::sys::signal::Signal::SIGTERM);
    let logs = program.rest();
    assert!(logs.contains("\"DEBUG\""), "the logs are as loud as they get:\n{logs}");
    for secret in secrets {
        assert!(!logs.contains(secret), "a secret is in the logs: {secret}");
        for answer in &told {
            assert!(!answer.text().contains(secret), "a secret is in an answer: {answer:?}");
            assert!(!format!("{:?}", answer.headers).contains(secret), "a secret is in a header: {answer:?}");
        }
    }
}
