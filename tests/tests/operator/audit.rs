//! What the operator asked of the API server, as the API server wrote it down. The operator's own word (a metric, a
//! log) would prove nothing about what it did.

use std::fs;

use anyhow::{Context, Result};
use kvtenant_tests::api::ApiServer;
use serde_json::Value;

const USER: &str = "system:serviceaccount:kvtenant-system:kvtenant-operator";

/// One request of the operator and how it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) verb: String,
    /// API group, empty for the core.
    pub(crate) group: String,
    /// With its subresource, as rules of a role name it.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) code: i64,
    /// What a refusal said.
    pub(crate) message: String,
}

impl Asked {
    pub(crate) fn is_write(&self) -> bool {
        !["get", "list", "watch"].contains(&self.verb.as_str())
    }

    /// An object came into being: by POST, or by a server-side apply of one that was not there.
    pub(crate) fn made_an_object(&self) -> bool {
        self.is_write() && self.code == 201
    }

    fn read(line: &str) -> Result<Self> {
        let entry: Value = serde_json::from_str(line)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &entry["objectRef"];
        let resource = match (text(&object["resource"]), text(&object["subresource"])) {
            (resource, none) if none.is_empty() => resource,
            (resource, subresource) => format!("{resource}/{subresource}"),
        };
        Ok(Self {
            verb: text(&entry["verb"]),
            group: text(&object["apiGroup"]),
            resource,
            namespace: text(&object["namespace"]),
            name: text(&object["name"]),
            code: entry["responseStatus"]["code"].as_i64().unwrap_or_default(),
            message: text(&entry["responseStatus"]["message"]),
        })
    }
}

/// All requests of the operator so far, in the order of their answers. A watch stands there twice: when it began, and
/// when it ended.
pub(crate) fn of_operator(server: &ApiServer) -> Result<Vec<Asked>> {
    let text = fs::read_to_string(server.audit_log())?;
    // The last line may be one that is being written.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let own = format!("\"user\":{{\"username\":\"{USER}\"");
    whole
        .lines()
        .filter(|line| line.contains(&own))
        .map(|line| Asked::read(line).context("a line of the log"))
        .collect()
}

/// What the operator wrote in one namespace so far.
pub(crate) fn writes(server: &ApiServer, namespace: &str) -> Result<Vec<Asked>> {
    let mut asked = of_operator(server)?;
    asked.retain(|asked| asked.namespace == namespace && asked.is_write());
    Ok(asked)
}
