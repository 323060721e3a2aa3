//! What a node has to know of the cluster that it is to be part of.

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    /// Nodes with another are refused.
    pub id: String,
    /// Where other nodes are found, host and port; this node may be among them.
    pub peers: Vec<String>,
    pub peer_port: u16,
    /// How many nodes a first start waits for.
    pub size: usize,
    /// Of each partition.
    pub copies: usize,
    pub min_in_sync: usize,
    /// A partition of which every copy is lost begins anew, empty.
    pub recreates_what_is_lost: bool,
    /// What nodes show each other.
    pub token: Option<String>,
    pub zone: Option<String>,
    pub weight: u32,
}
