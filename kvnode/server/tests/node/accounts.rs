//! Accounts: made, opened, changed and left, each in a namespace of its own.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::access::{PASSWORD, as_bearer, log_in, node, post, register, try_register, with};
use crate::client::{get, put, send};
use crate::in_process::TestNode;

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// C1, C2, C3, C26, C27, C30, C33
#[tokio::test]
async fn who_registers_gets_an_account_and_the_tokens_that_open_it() {
    let node = node();
    let answer = try_register(node.address, "Alice", "alice@example.com").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"));
    let body = answer.json();
    let tenant_id = body["tenant_id"].as_str().expect("text");
    assert_eq!(tenant_id.parse::<uuid::Uuid>().expect("a UUID").get_version_num(), 4);
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("bearer"), &json!(1800)));
    let user = json!({"username": "Alice", "email": "alice@example.com", "tenant_id": tenant_id, "is_active": true});
    assert_eq!(body["user"], user);
    for (token, kind, seconds) in [("access_token", "access", 1800), ("refresh_token", "refresh", 604_800)] {
        let claims = claims(body[token].as_str().expect("text"));
        assert_eq!((&claims["sub"], &claims["username"]), (&json!(tenant_id), &json!("Alice")));
        assert_eq!(claims["type"], kind);
        let moment = |name: &str| claims[name].as_u64().expect("a number");
        assert_eq!(moment("exp") - moment("iat"), seconds);
    }
    let token = body["access_token"].as_str().expect("text");
    for prefix in ["/api/v1", "/dev/api/v1"] {
        let me = as_bearer(node.address, token, "GET", &format!("{prefix}/auth/me"), "").await;
        assert_eq!((me.status.as_u16(), me.json()), (200, user.clone()));
    }
    let stranger = get(node.address, "/api/v1/auth/me").await;
    stranger.expect_problem(401, "Unauthorized", &["token", "Bearer"]);
    assert_eq!(stranger.header("www-authenticate"), "Bearer");
}

/// C26, C35, C36, C37, C38
#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named_and_never_shown() {
    let node = node();
    let with = |name: &str, value: Value| {
        let mut wanted = json!({"username": "alice", "email": "alice@example.com", "password": PASSWORD});
        match value {
            Value::Null => drop(wanted.as_object_mut().expect("an object").remove(name)),
            value => wanted[name] = value,
        }
        wanted
    };
    let cases = [
        (with("username", Value::Null), "BadBody", "username"),
        (with("email", Value::Null), "BadBody", "email"),
        (with("password", Value::Null), "BadBody", "password"),
        (with("username", json!(7)), "BadBody", "username"),
        (with("tenant_id", json!("0")), "BadBody", "tenant_id"),
        (with("username", json!("ab")), "BadUsername", "3 to 50"),
        (with("username", json!("a@b")), "BadUsername", "'@'"),
        (with("email", json!("alice")), "BadEmail", "@"),
        (with("password", json!("Test123")), "BadPassword", "8 characters"),
        (with("password", json!("test1234")), "BadPassword", "upper-case"),
        (with("password", json!("TEST1234")), "BadPassword", "lower-case"),
        (with("password", json!("Testtest")), "BadPassword", "digit"),
        (json!(["alice"]), "BadBody", "username"),
    ];
    for (wanted, code, word) in cases {
        let refused = post(node.address, "register", &wanted).await;
        refused.expect_problem(422, code, &[word]);
        let password = wanted["password"].as_str().unwrap_or("no password");
        assert!(!refused.text().contains(password), "{}", refused.text());
    }
    let broken = send(node.address, "POST", "/api/v1/auth/register", &[], "{\"password\":\"Secret1!").await;
    broken.expect_problem(400, "BadBody", &["username"]);
    assert!(!broken.text().contains("Secret1!"));
}

/// C28, C29, C40
#[tokio::test]
async fn an_account_is_opened_by_its_name_or_its_address_in_any_case() {
    let node = node();
    let alice = register(node.address, "alice").await;
    for name in ["alice", "ALICE", "alice@example.com", "Alice@Example.COM"] {
        let answer = log_in(node.address, name, PASSWORD).await;
        assert_eq!(answer.status.as_u16(), 200, "{name}: {}", answer.text());
        let body = answer.json();
        assert_eq!(body["token_type"], "bearer");
        assert_eq!(claims(body["access_token"].as_str().expect("text"))["sub"], alice.tenant_id.as_str());
        assert!(body["refresh_token"].is_string());
    }
    let wrong = log_in(node.address, "alice", "Wrong4Password").await;
    wrong.expect_problem(401, "WrongLogin", &["user name", "password"]);
    let long = "x".repeat(2000);
    for (name, password) in [("nobody", PASSWORD), ("nobody@example.com", PASSWORD), ("", PASSWORD), ("alice", &long)] {
        let answer = log_in(node.address, name, password).await;
        assert_eq!((answer.status, answer.body), (wrong.status, wrong.body.clone()), "{name}");
    }
    let strange = log_in(node.address, &format!("\u{0}é{long}"), PASSWORD).await;
    assert_eq!(strange.status.as_u16(), 401);
}

/// C31, C137
#[tokio::test]
async fn a_refresh_token_buys_tokens_and_each_kind_is_good_for_its_own_purpose() {
    let node = node();
    let alice = register(node.address, "alice").await;
    let renewed = post(node.address, "refresh", &json!({"refresh_token": alice.refresh_token})).await;
    assert_eq!(renewed.status.as_u16(), 200, "{}", renewed.text());
    let token = renewed.json()["access_token"].as_str().expect("text").to_owned();
    assert_eq!(as_bearer(node.address, &token, "GET", "/api/v1/auth/me", "").await.status.as_u16(), 200);
    let access = post(node.address, "refresh", &json!({"refresh_token": alice.access_token})).await;
    access.expect_problem(401, "TokenRefused", &["access token", "refresh token is needed"]);
    let refresh = as_bearer(node.address, &alice.refresh_token, "GET", "/api/v1/auth/me", "").await;
    refresh.expect_problem(401, "TokenRefused", &["wrong type"]);
    assert!(refresh.header("www-authenticate").contains("wrong type"));
    let broken = as_bearer(node.address, &format!("{}x", alice.access_token), "GET", "/api/v1/kv", "").await;
    assert_eq!(broken.status.as_u16(), 401);

    node.clock.put_ahead(Duration::from_secs(1801));
    let expired = as_bearer(node.address, &alice.access_token, "GET", "/api/v1/auth/me", "").await;
    expired.expect_problem(401, "TokenExpired", &["expired", "refresh"]);
    let renewed = post(node.address, "refresh", &json!({"refresh_token": alice.refresh_token})).await;
    assert_eq!(renewed.status.as_u16(), 200);
    node.clock.put_ahead(Duration::from_secs(604_800));
    let over = post(node.address, "refresh", &json!({"refresh_token": alice.refresh_token})).await;
    over.expect_problem(401, "TokenExpired", &["log in"]);
}

/// C1, C34, C59, C65
#[tokio::test]
async fn each_account_has_its_own_keys_under_every_prefix_and_sees_no_others() {
    let node = node();
    let (alice, bob) = (register(node.address, "alice").await, register(node.address, "bob").await);
    put(node.address, "/dev/kv/k", r#"{"value":"everybody's"}"#).await;
    for (person, value) in [(&alice, "hers"), (&bob, "his")] {
        let body = json!({"key": "k", "value": value}).to_string();
        assert_eq!(person.ask("POST", "/api/v1/kv", &body).await.status.as_u16(), 201);
        person.ask("PUT", &format!("/dev/kv/only-{value}"), r#"{"value":1}"#).await;
    }
    for path in ["/api/v1/kv/k", "/dev/api/v1/kv/k", "/dev/kv/k", "/kv/k"] {
        let entry = alice.ask("GET", path, "").await.json();
        assert_eq!((&entry["value"], &entry["tenant_id"]), (&json!("hers"), &json!(alice.tenant_id)), "{path}");
        assert_eq!(bob.ask("GET", path, "").await.json()["value"], "his", "{path}");
    }
    assert_eq!(get(node.address, "/dev/kv/k").await.json()["value"], "everybody's");
    bob.ask("GET", "/api/v1/kv/only-hers", "").await.expect_problem(404, "NotFound", &["only-hers"]);
    bob.ask("DELETE", "/api/v1/kv/only-hers", "").await.expect_problem(404, "NotFound", &["only-hers"]);
    let count = bob.ask("GET", "/api/v1/kv/stats/count", "").await.json();
    assert_eq!(count, json!({"tenant_id": bob.tenant_id, "count": 2}));
    let named = [("authorization", format!("Bearer {}", bob.access_token)), ("tenant_id", alice.tenant_id.clone())];
    let named: Vec<_> = named.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = send(node.address, "GET", "/api/v1/kv/k", &named, "").await;
    assert_eq!(answer.json()["value"], "his", "a header names no namespace");
}

/// C40
#[tokio::test]
async fn a_name_that_is_taken_is_named() {
    let node = node();
    register(node.address, "alice").await;
    for (username, email, words, other) in
        [("ALICE", "new@example.com", "user name", "address"), ("new", "Alice@Example.com", "address", "user name")]
    {
        let taken = try_register(node.address, username, email).await;
        taken.expect_problem(409, "Taken", &[words]);
        assert!(!taken.text().contains(other), "{}", taken.text());
    }
    let both = try_register(node.address, "alice", "alice@example.com").await;
    both.expect_problem(409, "Taken", &["user name and the email address"]);
    // A refused registration keeps nothing of what it asked for.
    register(node.address, "new").await;
}

/// C63
#[tokio::test]
async fn of_many_registrations_of_one_name_or_one_address_exactly_one_succeeds() {
    let node = node();
    let same_name = (0..50).map(|number| ("bob".to_owned(), format!("bob{number}@example.com")));
    let same_address = (0..50).map(|number| (format!("carol{number}"), "carol@example.com".to_owned()));
    let asked = same_name.chain(same_address).map(|(username, email)| {
        let address = node.address;
        async move {
            loop {
                let answer = try_register(address, &username, &email).await;
                // The queue for passwords is shorter than this crowd.
                if answer.status.as_u16() != 503 {
                    return (username, answer.status.as_u16());
                }
            }
        }
    });
    let answers = join_all(asked).await;
    for name in ["bob", "carol"] {
        let of_name: Vec<u16> =
            answers.iter().filter(|(username, _)| username.starts_with(name)).map(|(_, status)| *status).collect();
        assert_eq!(of_name.iter().filter(|&&status| status == 201).count(), 1, "{name}: {of_name:?}");
        assert_eq!(of_name.iter().filter(|&&status| status == 409).count(), 49, "{name}: {of_name:?}");
    }
    for name in ["bob", "carol@example.com"] {
        assert_eq!(log_in(node.address, name, PASSWORD).await.status.as_u16(), 200, "{name}");
    }
}

#[tokio::test]
async fn a_new_password_ends_all_tokens_at_once_and_brings_others() {
    let node = node();
    let alice = register(node.address, "alice").await;
    let elsewhere = log_in(node.address, "alice", PASSWORD).await.json();
    alice.ask("PUT", "/api/v1/kv/k?upsert=true", r#"{"value":1}"#).await;
    let changed = alice.ask("PUT", "/api/v1/auth/me", r#"{"password":"Other4Password"}"#).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!(changed["username"], "alice");
    for old in [&alice.access_token, elsewhere["access_token"].as_str().expect("text")] {
        for path in ["/api/v1/kv/k", "/dev/kv/k", "/api/v1/auth/me"] {
            let refused = as_bearer(node.address, old, "GET", path, "").await;
            refused.expect_problem(401, "TokenRevoked", &["log in"]);
        }
    }
    let renewed = post(node.address, "refresh", &json!({"refresh_token": alice.refresh_token})).await;
    renewed.expect_problem(401, "TokenRevoked", &[]);
    let token = changed["access_token"].as_str().expect("text");
    assert_eq!(as_bearer(node.address, token, "GET", "/api/v1/kv/k", "").await.version(), 1);
    assert_eq!(log_in(node.address, "alice", PASSWORD).await.status.as_u16(), 401);
    assert_eq!(log_in(node.address, "alice", "Other4Password").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_new_address_opens_the_account_and_frees_the_old_one() {
    let node = node();
    let alice = register(node.address, "alice").await;
    register(node.address, "bob").await;
    let taken = alice.ask("PUT", "/api/v1/auth/me", r#"{"email":"BOB@example.com"}"#).await;
    taken.expect_problem(409, "Taken", &["address"]);
    let changed = alice.ask("PUT", "/api/v1/auth/me", r#"{"email":"Alice@work.example"}"#).await;
    assert_eq!(changed.json()["email"], "Alice@work.example");
    assert_eq!(alice.ask("GET", "/api/v1/auth/me", "").await.json()["email"], "Alice@work.example");
    assert_eq!(log_in(node.address, "alice@WORK.example", PASSWORD).await.status.as_u16(), 200);
    assert_eq!(log_in(node.address, "alice@example.com", PASSWORD).await.status.as_u16(), 401);
    assert_eq!(try_register(node.address, "other", "alice@example.com").await.status.as_u16(), 201);
    for nothing in ["{}", r#"{"username":"eve"}"#, r#"{"email":null}"#] {
        alice.ask("PUT", "/api/v1/auth/me", nothing).await.expect_problem(422, "BadBody", &["email"]);
    }
}

#[tokio::test]
async fn who_leaves_takes_everything_along_and_leaves_the_name_to_others() {
    let node = node();
    let alice = register(node.address, "alice").await;
    for number in 0..20 {
        alice.ask("PUT", &format!("/dev/kv/k{number}"), r#"{"value":1}"#).await;
    }
    let keys = async || get(node.address, "/metrics").await.text().contains("\nkv_keys 20\n");
    assert!(keys().await);
    assert_eq!(alice.ask("DELETE", "/api/v1/auth/me", "").await.status.as_u16(), 204);
    for path in ["/api/v1/kv/k1", "/dev/kv/k1", "/api/v1/auth/me"] {
        alice.ask("GET", path, "").await.expect_problem(401, "TokenRevoked", &["gone"]);
    }
    assert!(get(node.address, "/metrics").await.text().contains("\nkv_keys 0\n"));
    assert_eq!(log_in(node.address, "alice", PASSWORD).await.status.as_u16(), 401);
    let other = register(node.address, "alice").await;
    assert_ne!(other.tenant_id, alice.tenant_id);
    assert_eq!(other.ask("GET", "/api/v1/kv/stats/count", "").await.json()["count"], 0);
}

/// C15
#[tokio::test]
async fn without_a_signing_key_there_are_no_accounts_and_the_answer_says_how_to_have_them() {
    let node = TestNode::start();
    for (what, body) in [
        ("register", json!({"username": "alice", "email": "a@example.com", "password": PASSWORD})),
        ("login", json!({"username": "alice", "password": PASSWORD})),
        ("refresh", json!({"refresh_token": "x"})),
    ] {
        post(node.address, what, &body).await.expect_problem(501, "AccountsOff", &["--secret-file", "SECRET_KEY"]);
    }
    assert_eq!(as_bearer(node.address, "x.y.z", "GET", "/dev/kv/k", "").await.status.as_u16(), 401);
}

#[tokio::test]
async fn registration_can_be_closed() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "auth: {registration: false}\n").expect("room on the disk");
    let node = with(&[("CONFIG_FILE", file.path().to_str().expect("a plain path"))]);
    let refused = try_register(node.address, "alice", "alice@example.com").await;
    refused.expect_problem(403, "RegistrationOff", &["auth.registration"]);
}

/// Contradiction 9, C126
#[tokio::test]
async fn without_anonymous_access_every_path_to_data_asks_who_is_there() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "auth: {anonymous: false}\n").expect("room on the disk");
    let node = with(&[("CONFIG_FILE", file.path().to_str().expect("a plain path"))]);
    for path in ["/dev/kv/k", "/kv/k", "/dev/kv", "/kv"] {
        let refused = get(node.address, path).await;
        refused.expect_problem(401, "Unauthorized", &["Authorization: Bearer", "X-API-Key"]);
    }
    let alice = register(node.address, "alice").await;
    assert_eq!(alice.ask("PUT", "/dev/kv/k", r#"{"value":1}"#).await.version(), 1);
    for path in ["/health", "/dev/health/live", "/metrics"] {
        assert_eq!(get(node.address, path).await.status.as_u16(), 200, "{path}");
    }
}

/// C76: a crowd at the door slows down nobody who is inside.
#[tokio::test]
async fn a_storm_of_logins_is_turned_away_in_time_while_reads_are_answered() {
    const LOGINS: usize = 200;
    let node = node();
    let alice = register(node.address, "alice").await;
    alice.ask("PUT", "/dev/kv/k", r#"{"value":1}"#).await;
    let storm = tokio::spawn(join_all((0..LOGINS).map(|_| log_in(node.address, "alice", "Wrong4Password"))));
    let mut reads_meanwhile = 0;
    while !storm.is_finished() {
        assert_eq!(alice.ask("GET", "/dev/kv/k", "").await.version(), 1);
        reads_meanwhile += 1;
    }
    let answers = storm.await.expect("no panic");
    let with_status = |status: u16| answers.iter().filter(move |answer| answer.status.as_u16() == status);
    assert_eq!(with_status(401).count() + with_status(503).count(), LOGINS);
    assert!(with_status(503).count() > 0, "the queue is bounded");
    for busy in with_status(503) {
        busy.expect_problem(503, "Busy", &["try again"]);
        assert_eq!(busy.header("retry-after"), "1");
    }
    assert!(reads_meanwhile > 0);
}
