//! What an account may have, and how often anyone may ask.

use std::time::Duration;

use crate::access::{register, with};
use crate::client::get;

fn config(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("room on the disk");
    file
}

#[tokio::test]
async fn an_address_has_a_rate_that_covers_every_request_for_data_and_logins() {
    let file = config("limits: {rateLimit: {addressPerSecond: 1, addressBurst: 3}}\n");
    let node = with(&[("CONFIG_FILE", file.path().to_str().expect("a plain path"))]);
    register(node.address, "alice").await;
    // A clock that stands still would be needed to count exactly; two hundred requests take less than as many seconds.
    let mut refused = None;
    for _ in 0..200 {
        let answer = get(node.address, "/dev/kv").await;
        if answer.status.as_u16() == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("some request is one too many");
    refused.expect_problem(429, "TooManyRequests", &["try again"]);
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!(seconds >= 1);
    for path in ["/health", "/readyz", "/metrics"] {
        assert_eq!(get(node.address, path).await.status.as_u16(), 200, "{path} is for probes");
    }
    node.clock.put_ahead(Duration::from_secs(seconds));
    assert_eq!(get(node.address, "/dev/kv").await.status.as_u16(), 200);
}

#[tokio::test]
async fn an_account_has_a_rate_of_its_own() {
    let file = config("limits: {rateLimit: {accountPerSecond: 1}}\n");
    let node = with(&[("CONFIG_FILE", file.path().to_str().expect("a plain path"))]);
    let (alice, bob) = (register(node.address, "alice").await, register(node.address, "bob").await);
    let mut refused = false;
    for _ in 0..200 {
        refused |= alice.ask("GET", "/dev/kv", "").await.status.as_u16() == 429;
        assert_eq!(get(node.address, "/dev/kv").await.status.as_u16(), 200, "strangers have no account");
        if refused {
            break;
        }
    }
    assert!(refused, "some request is one too many");
    assert_eq!(bob.ask("GET", "/dev/kv", "").await.status.as_u16(), 200);
}

#[tokio::test]
async fn an_account_has_as_much_as_its_quota_allows() {
    let file = config("limits: {maxKeysPerAccount: 2, maxBytesPerAccount: 100}\n");
    let node = with(&[("CONFIG_FILE", file.path().to_str().expect("a plain path"))]);
    let (alice, bob) = (register(node.address, "alice").await, register(node.address, "bob").await);
    for key in ["a", "b"] {
        assert_eq!(alice.ask("PUT", &format!("/dev/kv/{key}"), r#"{"value":1}"#).await.version(), 1);
    }
    let third = alice.ask("PUT", "/dev/kv/c", r#"{"value":1}"#).await;
    third.expect_problem(507, "QuotaExceeded", &["2 keys"]);
    let large = format!(r#"{{"value":"{}"}}"#, "x".repeat(100));
    alice.ask("PUT", "/dev/kv/a", &large).await.expect_problem(507, "QuotaExceeded", &["bytes"]);
    assert_eq!(bob.ask("PUT", "/dev/kv/c", r#"{"value":1}"#).await.version(), 1);
    alice.ask("DELETE", "/dev/kv/a", "").await;
    assert_eq!(alice.ask("PUT", "/dev/kv/c", r#"{"value":1}"#).await.version(), 1);
}
