//! Over real sockets on this machine.

use kvnode_core::cluster::lease::Holder;
use kvnode_core::cluster::member::{Incarnation, NodeName};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

/// Nothing in here takes longer on a machine that is merely busy.
const SOON: Duration = Duration::from_secs(30);

struct Ear(mpsc::UnboundedSender<(Member, String)>);

impl Received for Ear {
    fn received(&self, from: &Introduction, payload: Payload) {
        let _ = self.0.send((from.member, format!("{payload:?}")));
    }
}

struct Node {
    peers: Arc<Peers>,
    heard: mpsc::UnboundedReceiver<(Member, String)>,
    address: String,
    listening: JoinHandle<()>,
}

fn hello(number: u128, incarnation: u64) -> Hello {
    let who = Introduction {
        member: Member { node: NodeId::new(number), incarnation: Incarnation::new(incarnation) },
        name: NodeName::new(format!("n-{number}")),
        host: "127.0.0.1".to_owned(),
        peer_port: 0,
        http_port: 0,
        resp_cluster_port: None,
        zone: None,
        weight: 1,
        is_fresh: true,
    };
    Hello { cluster: "c".to_owned(), tenant: "t".to_owned(), token: Some("secret".to_owned()), who }
}

async fn node(hello: Hello) -> Node {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let (tell, heard) = mpsc::unbounded_channel();
    let peers = Arc::new(Peers::new(hello, Clock::default()));
    let listening = tokio::spawn(listen(Arc::clone(&peers), listener, Arc::new(Ear(tell))));
    Node { peers, heard, address, listening }
}

async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, wait).await.expect("it is so in time");
}

#[tokio::test]
async fn what_is_said_to_one_life_of_a_node_is_heard_by_it_alone() {
    let (one, mut other) = (node(hello(1, 1)).await, node(hello(2, 5)).await);
    tokio::spawn(dial(Arc::clone(&one.peers), other.address.clone()));
    let target = other.peers.me().member;
    until(|| one.peers.connected() == [target]).await;
    let nonce = Holder::default().ask(Uptime::new(1));
    one.peers.say(Member { incarnation: Incarnation::new(4), ..target }, &Payload::AskLease(nonce));
    one.peers.say(target, &Payload::Refused("heard".to_owned()));
    let heard = other.heard.recv().await.expect("something");
    assert_eq!(heard, (one.peers.me().member, "Refused(\"heard\")".to_owned()));
    assert!(other.peers.heard(one.peers.me().member).is_some());
    other.listening.abort();
}

#[tokio::test]
async fn whoever_dials_itself_learns_it_and_stops() {
    let one = node(hello(1, 1)).await;
    timeout(SOON, dial(Arc::clone(&one.peers), one.address.clone())).await.expect("it stops");
    assert!(one.peers.connected().is_empty() && one.peers.met().is_empty());
}

#[tokio::test]
async fn strangers_are_refused_with_a_reason() {
    let one = node(hello(1, 1)).await;
    let other_tenant = Hello { tenant: "u".to_owned(), ..hello(2, 1) };
    let other_cluster = Hello { cluster: "d".to_owned(), ..hello(2, 1) };
    let no_token = Hello { token: None, ..hello(2, 1) };
    let mut namesake = hello(2, 1);
    namesake.who.name = NodeName::new("n-1");
    let good = hello(2, 1);
    for (hello, word) in [(other_tenant, "tenant"), (other_cluster, "cluster"), (no_token, "token"), (namesake, "name")]
    {
        let why = one.peers.refuses(&hello).expect("it is refused");
        assert!(why.contains(word), "{why}");
        let stranger = node(hello).await;
        let dialing = tokio::spawn(dial(Arc::clone(&stranger.peers), one.address.clone()));
        assert!(timeout(Duration::from_millis(100), dialing).await.is_err());
        assert!(stranger.peers.connected().is_empty());
    }
    assert_eq!(one.peers.refuses(&good), None);
    assert!(one.peers.met().is_empty());
}

#[tokio::test]
async fn an_earlier_life_is_not_heard_once_a_later_has_spoken() {
    let mut one = node(hello(1, 1)).await;
    let (earlier, later) = (node(hello(2, 1)).await, node(hello(2, 2)).await);
    let target = one.peers.me().member;
    for life in [&earlier, &later] {
        tokio::spawn(dial(Arc::clone(&life.peers), one.address.clone()));
        until(|| life.peers.connected() == [target]).await;
    }
    until(|| one.peers.heard(later.peers.me().member).is_some()).await;
    earlier.peers.say(target, &Payload::Refused("earlier".to_owned()));
    later.peers.say(target, &Payload::Refused("later".to_owned()));
    let heard = one.heard.recv().await.expect("something");
    assert_eq!(heard.0, later.peers.me().member);
}
