//! The port for cluster clients: a Redis Cluster of one node.

use super::wire::Wire;
use crate::in_process::TestNode;

/// C129
#[test]
fn the_node_is_a_cluster_of_its_own() {
    let node = TestNode::with_resp(&["--advertise", "n0.example"]);
    let mut wire = Wire::cluster(&node);
    let port = node.resp_addresses.cluster.expect("it is open").port();
    let id = wire.bulk("CLUSTER MYID");
    assert!(id.len() == 40 && id.bytes().all(|digit| digit.is_ascii_hexdigit()), "{id}");
    wire.ask(
        "CLUSTER SLOTS",
        &format!("*1\r\n*3\r\n:0\r\n:16383\r\n*4\r\n$10\r\nn0.example\r\n:{port}\r\n$40\r\n{id}\r\n*0\r\n"),
    );
    let bus = u32::from(port) + 10_000;
    assert_eq!(
        wire.bulk("CLUSTER NODES"),
        format!("{id} n0.example:{port}@{bus} myself,master - 0 0 0 connected 0-16383\n")
    );
    wire.ask(
        "CLUSTER SHARDS",
        &format!(
            "*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*1\r\n*14\r\n$2\r\nid\r\n$40\r\n{id}\r\n\
             $4\r\nport\r\n:{port}\r\n$2\r\nip\r\n$10\r\nn0.example\r\n$8\r\nendpoint\r\n$10\r\nn0.example\r\n\
             $4\r\nrole\r\n$6\r\nmaster\r\n$18\r\nreplication-offset\r\n:0\r\n$6\r\nhealth\r\n$6\r\nonline\r\n"
        ),
    );
    assert!(wire.bulk("CLUSTER INFO").starts_with("cluster_state:ok\r\ncluster_slots_assigned:16384\r\n"));
    assert!(wire.bulk("INFO cluster").contains("cluster_enabled:1"));
}

#[test]
fn a_client_is_told_the_address_it_came_to_when_none_is_advertised() {
    let node = TestNode::with_resp(&[]);
    assert!(Wire::cluster(&node).bulk("CLUSTER NODES").contains(" 127.0.0.1:"));
}

#[test]
fn keys_of_one_slot_go_together_and_others_do_not() {
    let node = TestNode::with_resp(&[]);
    let mut wire = Wire::cluster(&node);
    for (line, answer) in [
        ("MGET a b", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
        ("MSET a 1 b 2", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
        ("MSET {t}a 1 {t}b 2", "+OK\r\n"),
        ("DEL a b", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
        ("MGET {t}a {t}b", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
        ("SET k v EX 100", "+OK\r\n"),
        ("GETRANGE k 0 5", "$1\r\nv\r\n"),
        ("CLUSTER KEYSLOT foo", ":12182\r\n"),
        ("CLUSTER KEYSLOT {t}a", ":15891\r\n"),
        ("CLUSTER COUNTKEYSINSLOT 15891", ":2\r\n"),
        ("CLUSTER GETKEYSINSLOT 12182 10", "*0\r\n"),
        ("CLUSTER COUNTKEYSINSLOT 99999", "-ERR Invalid slot\r\n"),
        ("CLUSTER COUNTKEYSINSLOT a", "-ERR value is not an integer or out of range\r\n"),
        ("CLUSTER GETKEYSINSLOT 1 -1", "-ERR Invalid slot or number of keys\r\n"),
        ("READONLY", "+OK\r\n"),
        ("READWRITE", "+OK\r\n"),
        ("ASKING", "+OK\r\n"),
        ("SELECT 1", "-ERR SELECT is not allowed in cluster mode\r\n"),
        ("MULTI", "+OK\r\n"),
        ("MGET a b", "-CROSSSLOT Keys in request don't hash to the same slot\r\n"),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
    ] {
        wire.ask(line, answer);
    }
    wire.ask("CLUSTER GETKEYSINSLOT 15891 1", "*1\r\n");
    assert_eq!((wire.line().as_str(), wire.line().starts_with("{t}")), ("$4", true));
    Wire::plain(&node).ask("MGET {t}a k", "*2\r\n$1\r\n1\r\n$1\r\nv\r\n");
}
