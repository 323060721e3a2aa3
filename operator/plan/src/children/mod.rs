//! The objects a tenant is made of, one file for each. A file builds its object whole from the tenant alone and knows
//! nothing of what exists; the tests compare whole objects and say what breaks for users when a field is lost.

mod client_service;
mod config_map;
#[cfg(test)]
mod fixture;
mod headless_service;
mod labels;
mod pod_template;
mod secret;
mod service_account;
mod stateful_set;

use std::fmt::{self, Write as _};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use sha2::{Digest, Sha256};

pub use labels::{selector, selector_text};
pub use secret::SecretBlueprint;

use crate::image::ImageRef;
use crate::validate::ValidTenant;

/// Everything a tenant is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Children {
    pub service_account: ServiceAccount,
    pub api_key: SecretBlueprint,
    pub config_map: ConfigMap,
    pub client_service: Service,
    pub headless_service: Service,
    pub stateful_set: StatefulSet,
}

/// One object, of one of the closed list of kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum Child {
    ServiceAccount(ServiceAccount),
    Secret(SecretBlueprint),
    ConfigMap(ConfigMap),
    Service(Box<Service>),
    StatefulSet(Box<StatefulSet>),
}

/// The kinds there are: what is made, watched, swept and granted rights for is this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChildKind {
    ServiceAccount,
    Secret,
    ConfigMap,
    Service,
    StatefulSet,
}

impl Children {
    pub fn of(tenant: &ValidTenant, image: &ImageRef, pinned: &ImageRef) -> Self {
        Self {
            service_account: service_account::build(tenant),
            api_key: secret::api_key(tenant),
            config_map: config_map::build(tenant),
            client_service: client_service::build(tenant),
            headless_service: headless_service::build(tenant),
            stateful_set: stateful_set::build(tenant, image, pinned),
        }
    }

    /// All of them, in the order they are to be made: what a pod mounts or runs as comes before the pods.
    pub fn into_list(self) -> Vec<Child> {
        // No `..` here: an object that is built but not listed would never be applied, and does not compile.
        let Self { service_account, api_key, config_map, client_service, headless_service, stateful_set } = self;
        vec![
            Child::ServiceAccount(service_account),
            Child::Secret(api_key),
            Child::ConfigMap(config_map),
            Child::Service(Box::new(client_service)),
            Child::Service(Box::new(headless_service)),
            Child::StatefulSet(Box::new(stateful_set)),
        ]
    }
}

/// Kind and name of every child of the KVTenant `name`, in the order of [`Children::into_list`].
pub fn names(name: &str) -> [(ChildKind, String); 6] {
    [
        (ChildKind::ServiceAccount, name.to_owned()),
        (ChildKind::Secret, format!("{name}{}", secret::API_KEY_SUFFIX)),
        (ChildKind::ConfigMap, name.to_owned()),
        (ChildKind::Service, name.to_owned()),
        (ChildKind::Service, format!("{name}{}", headless_service::SUFFIX)),
        (ChildKind::StatefulSet, name.to_owned()),
    ]
}

impl ChildKind {
    pub const ALL: [Self; 5] = [Self::ServiceAccount, Self::Secret, Self::ConfigMap, Self::Service, Self::StatefulSet];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Service => "Service",
            Self::StatefulSet => "StatefulSet",
        }
    }
}

impl fmt::Display for ChildKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Child {
    pub const fn kind(&self) -> ChildKind {
        match self {
            Self::ServiceAccount(_) => ChildKind::ServiceAccount,
            Self::Secret(_) => ChildKind::Secret,
            Self::ConfigMap(_) => ChildKind::ConfigMap,
            Self::Service(_) => ChildKind::Service,
            Self::StatefulSet(_) => ChildKind::StatefulSet,
        }
    }

    pub fn name(&self) -> &str {
        let meta = match self {
            Self::ServiceAccount(account) => &account.metadata,
            Self::Secret(blueprint) => &blueprint.frame().metadata,
            Self::ConfigMap(map) => &map.metadata,
            Self::Service(service) => &service.metadata,
            Self::StatefulSet(set) => &set.metadata,
        };
        meta.name.as_deref().unwrap_or_default()
    }

    /// The object as it is sent.
    pub fn to_json(&self) -> serde_json::Value {
        let json = match self {
            Self::ServiceAccount(account) => serde_json::to_value(account),
            Self::Secret(blueprint) => serde_json::to_value(blueprint.frame()),
            Self::ConfigMap(map) => serde_json::to_value(map),
            Self::Service(service) => serde_json::to_value(service),
            Self::StatefulSet(set) => serde_json::to_value(set),
        };
        json.expect("an object of Kubernetes is JSON")
    }

    /// Two intents with one fingerprint are the same intent.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.to_json())
    }
}

/// SHA-256 over the JSON text, in hexadecimal.
pub(crate) fn fingerprint(value: &serde_json::Value) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(value.to_string().as_bytes()) {
        write!(hex, "{byte:02x}").expect("writing into a String cannot fail");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names are looked up before anything is applied; a child missing from the list would be taken from whoever
    /// holds its name.
    #[test]
    fn every_child_is_looked_for_under_its_name() {
        let image = fixture::image();
        let children = Children::of(&fixture::tenant(), &image, &image).into_list();
        let built: Vec<_> = children.iter().map(|child| (child.kind(), child.name().to_owned())).collect();
        assert_eq!(built, names("analytics"));
    }
}
