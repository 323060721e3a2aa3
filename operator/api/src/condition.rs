//! The words of conditions. Reconciling and Stalled mean what kstatus (and so `kubectl wait`, Argo CD and Flux)
//! expects: something is still moving on its own; nothing will move until a person acts.

use crate::words::words;

words! {
    /// What a condition is about.
    pub enum ConditionType {
        /// The tenant serves: every wanted node is ready and of the wanted revision.
        Ready,
        /// A change is on its way to the nodes.
        Progressing,
        /// A node cannot run, or was lost.
        Degraded,
        /// The operator has not yet brought the objects to what the spec says (kstatus).
        Reconciling,
        /// The operator cannot go on until a person changes something (kstatus).
        Stalled,
    }
}

words! {
    /// Why a condition has its status. One word has one meaning, whatever condition carries it.
    pub enum Reason {
        /// All nodes answer their readiness probe.
        NodesReady,
        /// Nodes are missing or do not answer their readiness probe yet.
        NodesNotReady,
        /// A pod says why it cannot run; the message names pod and reason.
        PodFailing,
        /// Pods are being replaced by the wanted revision.
        RollingOut,
        /// Objects and nodes are as the spec says.
        Settled,
        /// `spec.suspend` is true: there are no nodes, and what was in memory is gone.
        Suspended,
        /// The KVTenant is being deleted.
        Deleting,
        /// The spec breaks a rule; the message says which.
        InvalidSpec,
        /// A child's name belongs to an object that is not this KVTenant's.
        NameTaken,
        /// Objects of a deleted KVTenant of the same name are still going away.
        WaitingForPredecessor,
        /// A child is being deleted and will be made again once it is gone.
        WaitingForDeletion,
        /// The API server refused an object; the message says which and why. The operator tries again.
        ApplyFailed,
        /// Nothing stands in the way.
        Proceeding,
        /// No node is failing.
        Healthy,
    }
}
