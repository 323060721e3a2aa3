//! The master API key. Its value is random and so cannot be part of a pure plan: what is built here is the frame, and
//! the operator puts the key in once, when the Secret does not exist. After that nobody but its owner changes it.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::labels::object_meta;
use crate::validate::ValidTenant;

/// Key inside the Secret.
pub(super) const KEY: &str = "key";
/// The file the key is mounted as.
pub(super) const API_KEY_FILE: &str = "api-key";

/// What stands behind the KVTenant's name in the Secret's name.
pub(super) const API_KEY_SUFFIX: &str = "-api-key";

/// A Secret without its content. Applying the frame keeps labels and owner; it names no data and so touches none.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretBlueprint {
    frame: Secret,
    key: &'static str,
}

impl SecretBlueprint {
    /// The Secret without data.
    pub fn frame(&self) -> &Secret {
        &self.frame
    }

    /// The Secret with its content, for the one time it is made.
    pub fn filled(&self, value: &str) -> Secret {
        let data = BTreeMap::from([(self.key.to_owned(), ByteString(value.as_bytes().to_vec()))]);
        Secret { data: Some(data), ..self.frame.clone() }
    }
}

/// Name of the Secret with the API key.
pub(super) fn api_key_name(tenant: &ValidTenant) -> String {
    format!("{}{API_KEY_SUFFIX}", tenant.name)
}

pub(super) fn api_key(tenant: &ValidTenant) -> SecretBlueprint {
    let frame = Secret {
        metadata: object_meta(tenant, api_key_name(tenant)),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    SecretBlueprint { frame, key: KEY }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture;

    /// F41. Data in the frame would reset the key on every pass, and lock out everybody who holds it.
    #[test]
    fn the_frame_of_the_api_key_names_no_data() {
        assert_eq!(
            serde_json::to_value(super::api_key(&fixture::tenant()).frame()).expect("JSON"),
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": fixture::metadata("analytics-api-key"),
                "type": "Opaque",
            })
        );
    }

    /// The pod mounts the key `key`; under another name kvnode would not start.
    #[test]
    fn the_generated_key_stands_under_key() {
        let secret = super::api_key(&fixture::tenant()).filled("s3cret");
        let json = serde_json::to_value(secret).expect("JSON");
        assert_eq!(json["data"], json!({"key": "czNjcmV0"}));
    }
}
