//! The lists of the bare and the versioned paths; that of the tenant's path is in `listing.rs`.

use std::collections::BTreeSet;

use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::client::{Answer, MASTER_KEY, delete, get, put, send};
use crate::in_process::TestNode;

async fn fill(node: &TestNode, count: usize) -> BTreeSet<String> {
    let keys: BTreeSet<String> = (0..count).map(|number| format!("key \"{number}\"")).collect();
    for chunk in keys.iter().collect::<Vec<_>>().chunks(50) {
        let paths: Vec<String> = chunk.iter().map(|key| format!("/kv/{}", key.replace(' ', "%20"))).collect();
        join_all(paths.iter().map(|path| put(node.address, path, "1"))).await;
    }
    keys
}

fn objects(lines: &[Value]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for line in lines {
        let members = line.as_object().expect("an object");
        assert_eq!(members.keys().collect::<Vec<_>>(), ["key", "node"], "exactly these two");
        assert_eq!(members["node"], "n0");
        assert!(keys.insert(members["key"].as_str().expect("text").to_owned()), "{line} comes twice");
    }
    keys
}

/// R8, R24, R25, R37: more keys than are looked up at a time, some of them gone.
#[tokio::test]
async fn every_live_key_is_a_line_once_or_a_place_in_one_array() {
    let node = TestNode::with_master_key();
    let mut keys = fill(&node, 900).await;
    for gone in ["key \"7\"", "key \"899\""] {
        delete(node.address, &format!("/kv/{}", gone.replace(' ', "%20"))).await;
        keys.remove(gone);
    }
    let lines = get(node.address, "/kv").await;
    assert_eq!((lines.status, lines.header("content-type")), (StatusCode::OK, "application/x-ndjson"));
    assert!(lines.text().ends_with('\n') && !lines.text().contains("\n\n"));
    let parsed: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(objects(&parsed), keys);

    let array = send(node.address, "GET", "/kv", &[("accept", "text/html, application/json;q=0.9")], "").await;
    assert_eq!(array.header("content-type"), "application/json");
    assert_eq!(objects(array.json().as_array().expect("an array")), keys);
    let anything = send(node.address, "GET", "/kv", &[("accept", "*/*")], "").await;
    assert_eq!(anything.header("content-type"), "application/x-ndjson");
    get(node.address, "/kv?prefix=a").await.expect_problem(400, "BadQuery", &["prefix"]);
}

#[tokio::test]
async fn an_empty_store_is_no_line_or_an_empty_array() {
    let node = TestNode::with_master_key();
    assert_eq!(get(node.address, "/kv").await.text(), "");
    assert_eq!(send(node.address, "GET", "/kv", &[("accept", "application/json")], "").await.text(), "[]");
}

async fn page(node: &TestNode, query: &str) -> Answer {
    get(node.address, &format!("/api/v1/kv{query}")).await
}

fn keys_of(page: &Answer) -> Vec<String> {
    let page = page.json();
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["key"].as_str().expect("a key").to_owned()).collect()
}

/// C49
#[tokio::test]
async fn pages_are_numbered_and_in_the_order_of_keys() {
    let node = TestNode::with_master_key();
    let keys: Vec<String> = (0..45).map(|number| format!("k{number:02}")).collect();
    for key in keys.iter().rev() {
        put(node.address, &format!("/dev/kv/{key}"), format!(r#"{{"value":"{key}","ttl":60}}"#)).await;
    }
    let first = page(&node, "").await;
    assert_eq!(keys_of(&first), keys[..20]);
    let told = first.json();
    let figures = ["page", "page_size", "total", "total_pages"].map(|name| told[name].as_u64().expect("a number"));
    assert_eq!(figures, [1, 20, 45, 3]);
    let entry = &told["items"][3];
    assert_eq!((&entry["value"], &entry["version"], &entry["metadata"]["ttl"]), (&json!("k03"), &json!(1), &json!(60)));
    assert_eq!(keys_of(&page(&node, "?page=3").await), keys[40..]);
    assert_eq!(keys_of(&page(&node, "?page=2&page_size=7").await), keys[7..14]);
    assert_eq!(keys_of(&page(&node, "?page_size=100").await), keys);
    for beyond in ["?page=4", "?page=18446744073709551615"] {
        let beyond = page(&node, beyond).await;
        assert_eq!((keys_of(&beyond).len(), beyond.json()["total"].as_u64()), (0, Some(45)));
    }
    let prefixed = page(&node, "?prefix=k1&page_size=3&page=4").await;
    assert_eq!((keys_of(&prefixed), prefixed.json()["total_pages"].as_u64()), (vec!["k19".to_owned()], Some(4)));
    for query in ["?page_size=101", "?page_size=0", "?page=0", "?page=x", "?page=-1", "?limit=5", "?page=1&page=2"] {
        page(&node, query).await.expect_problem(422, "BadQuery", &[]);
    }
    node.clock.put_ahead(std::time::Duration::from_secs(60));
    let gone = page(&node, "").await;
    let nothing = r#"{"items":[],"page":1,"page_size":20,"total":0,"total_pages":0}"#;
    assert_eq!(gone.text(), nothing, "what has expired is in no page");
}

/// C50
#[tokio::test]
async fn a_page_keeps_entries_that_have_all_the_tags() {
    let node = TestNode::with_master_key();
    for (key, tags) in [
        ("a", r#"{"category":"user","level":"1"}"#),
        ("b", r#"{"category":"user","level":"2"}"#),
        ("c", r#"{"category":"user"}"#),
        ("d", r#"{"category":"order","level":"1"}"#),
        ("e", r#"{"time":"12:30"}"#),
    ] {
        put(node.address, &format!("/dev/kv/{key}"), format!(r#"{{"value":1,"tags":{tags}}}"#)).await;
    }
    for (query, expected) in [
        ("?tag_filter=category:user", &["a", "b", "c"][..]),
        ("?tag_filter=category:user&tag_filter=level:1", &["a"]),
        ("?tag_filter=category:user&tag_filter=category:order", &[]),
        ("?tag_filter=time:12:30", &["e"]),
        ("?tag_filter=category:use", &[]),
    ] {
        let found = page(&node, query).await;
        assert_eq!(keys_of(&found), expected, "{query}");
        assert_eq!(found.json()["total"].as_u64(), Some(expected.len() as u64));
    }
    page(&node, "?tag_filter=category").await.expect_problem(422, "BadQuery", &["category", "name:value"]);
}

/// A page is made while it is sent, so that values are not all in memory at once.
#[tokio::test]
async fn a_page_of_large_values_comes_whole() {
    let node = TestNode::with(&["--memory-limit", "64Mi"], &[("ADMIN_KEY", MASTER_KEY)]);
    let value = format!("\"{}\"", "x".repeat(1024 * 1024));
    for number in 0..20 {
        put(node.address, &format!("/kv/k{number}"), value.clone()).await;
    }
    let page = page(&node, "?page_size=20").await;
    assert_eq!((keys_of(&page).len(), page.body.len() > 20 * 1024 * 1024), (20, true));
}
