//! The operator on a real API server (L2): the program itself, with the rights that config/rbac gives it, against etcd,
//! API server and controllers. No kubelet runs, so no pod does: where a test needs a pod that serves, or one that
//! cannot, it writes the pod's status as a kubelet would, and the StatefulSet's controller goes on from there.
//! A file is one question about the operator; `world`, `running`, `audit` and `objects` are what they all stand on.

mod audit;
mod beginnings;
mod belonging;
mod changes;
mod children;
mod definition;
mod deletion;
mod drift;
mod objects;
mod rights;
mod running;
mod settled;
mod status;
mod world;

/// The program that holds a control plane.
const TESTBED: &str = env!("CARGO_BIN_EXE_testbed");
