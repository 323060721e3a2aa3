//! Values come back as they went in.

use http::StatusCode;

use crate::client::{get, put, send};
use crate::in_process::TestNode;

const BYTES: (&str, &str) = ("content-type", "application/octet-stream");

#[tokio::test]
async fn json_comes_back_character_for_character() {
    let node = TestNode::start();
    for text in [
        "12345678901234567890123456789012345678901234567890.10",
        r#"{"b":1,"a":2,"b":3}"#,
        "[ 1,\t2 ,{ } ]",
        r#""\u00e9\/\ud800""#,
        r#""é鍵🔑""#,
        "-0.0e-0",
        "null",
        "\"\"",
    ] {
        let stored = put(node.address, "/dev/kv/k", format!(r#"{{ "tags": null, "value" : {text} , "ttl":0}}"#)).await;
        assert_eq!(stored.status, StatusCode::OK, "{text}: {}", stored.text());
        let found = get(node.address, "/dev/kv/k").await;
        assert!(found.text().contains(&format!("\"value\":{text},\"version\"")), "{} has no {text}", found.text());
        let raw = get(node.address, "/dev/kv/k?raw=true").await;
        assert_eq!((raw.text(), raw.header("content-type")), (text, "application/json"));
        assert_eq!(raw.header("etag"), found.header("etag"));
    }
}

#[tokio::test]
async fn bytes_come_back_as_bytes_as_text_or_in_base_64() {
    let node = TestNode::start();
    let cases: [(&[u8], &str, &str); 3] =
        [(b"plain \"text\"", "plain \"text\"", "utf-8"), (b"\xff\x00\x01", "/wAB", "base64"), (b"", "", "utf-8")];
    for (bytes, text, encoding) in cases {
        let stored = send(node.address, "PUT", "/dev/kv/k", &[BYTES], bytes.to_vec()).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text());
        let found = get(node.address, "/dev/kv/k").await.json();
        assert_eq!((found["value"].as_str(), found["metadata"]["encoding"].as_str()), (Some(text), Some(encoding)));
        let raw = get(node.address, "/dev/kv/k?raw=true").await;
        let accepted = send(node.address, "GET", "/dev/kv/k", &[("accept", "application/octet-stream")], "").await;
        for answer in [raw, accepted] {
            assert_eq!((answer.body.as_ref(), answer.header("content-type")), (bytes, "application/octet-stream"));
        }
    }
    put(node.address, "/dev/kv/j", r#"{"value":1}"#).await;
    let json = send(node.address, "GET", "/dev/kv/j", &[("accept", "application/octet-stream")], "").await;
    assert_eq!(json.json()["value"], 1, "JSON is described whatever is accepted");
}

/// C91
#[tokio::test]
async fn a_value_of_two_mebibytes_is_kept_and_one_byte_more_is_413() {
    let node = TestNode::start();
    let text = format!("\"{}\"", "x".repeat(2 * 1024 * 1024 - 2));
    let stored = put(node.address, "/dev/kv/k", format!("{{\"value\":{text}}}")).await;
    assert_eq!(stored.version(), 1);
    let found = get(node.address, "/dev/kv/k").await;
    assert_eq!(found.header("content-length"), found.body.len().to_string());
    assert_eq!(found.json()["value"].as_str().map(str::len), Some(text.len() - 2));
    assert_eq!(get(node.address, "/dev/kv/k?raw=true").await.text(), text);

    let larger = format!("{{\"value\":\"{}\"}}", "x".repeat(2 * 1024 * 1024 - 1));
    put(node.address, "/dev/kv/k", larger).await.expect_problem(413, "ValueTooLarge", &["2097153", "2097152"]);
    let bytes = vec![0; 2 * 1024 * 1024 + 1];
    let refused = send(node.address, "PUT", "/dev/kv/k", &[BYTES], bytes).await;
    refused.expect_problem(413, "ValueTooLarge", &["2097153", "2097152"]);
    assert_eq!(get(node.address, "/dev/kv/k").await.version(), 1);
}

/// C90, C91: the limits can be set.
#[tokio::test]
async fn smaller_limits_are_kept_too() {
    let node = TestNode::with(&[], &[("MAX_VALUE_SIZE", "10"), ("MAX_KEY_SIZE", "3")]);
    assert_eq!(put(node.address, "/dev/kv/abc", r#"{"value":"12345678"}"#).await.version(), 1);
    put(node.address, "/dev/kv/abc", r#"{"value":"123456789"}"#).await.expect_problem(413, "ValueTooLarge", &["10"]);
    put(node.address, "/dev/kv/abcd", r#"{"value":1}"#).await.expect_problem(400, "KeyTooLong", &["4 bytes", "3"]);
}

#[tokio::test]
async fn a_body_that_says_it_is_huge_is_refused_before_it_is_read() {
    let node = TestNode::start();
    let huge = vec![b' '; 3 * 1024 * 1024];
    let refused = put_head_only(node.address, huge.len()).await;
    assert!(refused.starts_with("HTTP/1.1 413 "), "{refused}");
}

/// Sends the head of a PUT and not one byte of its body.
async fn put_head_only(address: std::net::SocketAddr, length: usize) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("the node listens");
    let head = format!("PUT /dev/kv/k HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("a connection");
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    String::from_utf8(answer).expect("ASCII") + " "
}

#[tokio::test]
async fn keys_may_have_slashes_spaces_and_any_language() {
    let node = TestNode::start();
    for (escaped, key) in
        [("a%2Fb", "a/b"), ("with%20space", "with space"), ("%C3%A9", "é"), ("a+b", "a+b"), ("%2525", "%25")]
    {
        let path = format!("/dev/kv/{escaped}");
        assert_eq!(put(node.address, &path, r#"{"value":1}"#).await.json()["key"], key);
        assert_eq!(get(node.address, &path).await.json()["key"], key);
    }
}

#[tokio::test]
async fn head_says_all_but_the_body() {
    let node = TestNode::start();
    put(node.address, "/dev/kv/k", r#"{"value":1}"#).await;
    let found = get(node.address, "/dev/kv/k").await;
    let head = send(node.address, "HEAD", "/dev/kv/k", &[], "").await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    for name in ["content-length", "content-type", "etag"] {
        assert_eq!(head.header(name), found.header(name));
    }
    assert_eq!(send(node.address, "HEAD", "/dev/kv/other", &[], "").await.status, StatusCode::NOT_FOUND);
}
