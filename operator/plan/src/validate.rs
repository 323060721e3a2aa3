//! From a stored KVTenant to one that can be built. The rules are those of the CEL in the definition, again: an object
//! may have been stored before a rule existed, and nothing behind this point checks anything twice.

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube_core::ResourceExt;
use kvtenant_api::names::{ANNOTATION_UPGRADE, BARE_PATHS};
use kvtenant_api::{KVTenant, PullPolicy, rules};

use crate::image::ImageRef;
use crate::memory::{MemoryError, MemorySize};
use crate::name::{Name, NameError};
use crate::sizes::Sizes;

/// A KVTenant that keeps every rule, with its figures derived.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidTenant {
    pub namespace: String,
    pub name: Name,
    pub uid: String,
    /// The tenant's name in URLs.
    pub tenant: Name,
    /// Nodes that should run now: none while suspended.
    pub nodes: i32,
    pub suspended: bool,
    /// Being deleted: nothing may be made any more.
    pub deleting: bool,
    pub sizes: Sizes,
    pub image: ImageWish,
    pub pull_policy: PullPolicy,
    pub pull_secrets: Vec<LocalObjectReference>,
}

/// What the spec says about the image, and what was pinned before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageWish {
    pub repository: Option<String>,
    pub tag: Option<String>,
    /// The annotation says: follow the operator's image.
    pub follow_operator: bool,
    /// The operator's image at creation, as the status remembers it.
    pub pinned: Option<ImageRef>,
}

/// Why a KVTenant cannot be built. Each text is the sentence the user reads in the Stalled condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTenant {
    #[error("metadata.name {0}")]
    Name(NameError),
    #[error("tenant {0}")]
    Tenant(NameError),
    #[error("tenant (by default metadata.name) must not be {0:?}, a path every node serves by itself; set another")]
    BarePath(String),
    #[error("{}", rules::REPLICAS_AT_LEAST_ONE.sentence)]
    NoReplica,
    #[error("{}", rules::REPLICAS_AT_MOST_ONE.sentence)]
    ManyReplicas,
    #[error(transparent)]
    Memory(MemoryError),
    #[error("{}", rules::REPOSITORY_HAS_NO_TAG.sentence)]
    ImageRepository,
    #[error("{}", rules::TAG_IS_A_TAG.sentence)]
    ImageTag,
}

/// Checks every rule and derives every figure.
pub fn validate(tenant: &KVTenant) -> Result<ValidTenant, InvalidTenant> {
    let spec = &tenant.spec;
    let name = Name::parse(&tenant.name_any()).map_err(InvalidTenant::Name)?;
    let url_name = match spec.tenant.as_str() {
        "" => name.clone(),
        explicit => Name::parse(explicit).map_err(InvalidTenant::Tenant)?,
    };
    if BARE_PATHS.contains(&url_name.as_str()) {
        return Err(InvalidTenant::BarePath(url_name.to_string()));
    }
    match spec.replicas {
        ..=0 => return Err(InvalidTenant::NoReplica),
        1 => {}
        2.. => return Err(InvalidTenant::ManyReplicas),
    }
    let memory = MemorySize::parse(&spec.memory).map_err(InvalidTenant::Memory)?;
    Ok(ValidTenant {
        namespace: tenant.namespace().unwrap_or_default(),
        name,
        uid: tenant.uid().unwrap_or_default(),
        tenant: url_name,
        nodes: if spec.suspend { 0 } else { spec.replicas },
        suspended: spec.suspend,
        deleting: tenant.metadata.deletion_timestamp.is_some(),
        sizes: Sizes::from_memory(memory),
        image: image_wish(tenant)?,
        pull_policy: spec.image.pull_policy,
        pull_secrets: spec.image.pull_secrets.iter().map(LocalObjectReference::from).collect(),
    })
}

fn image_wish(tenant: &KVTenant) -> Result<ImageWish, InvalidTenant> {
    let image = &tenant.spec.image;
    let repository = Some(image.repository.clone()).filter(|repository| !repository.is_empty());
    let tag = Some(image.tag.clone()).filter(|tag| !tag.is_empty());
    if repository.as_deref().is_some_and(|repository| !is_repository(repository)) {
        return Err(InvalidTenant::ImageRepository);
    }
    if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
        return Err(InvalidTenant::ImageTag);
    }
    let derived = tenant.status.as_ref().and_then(|status| status.derived.as_ref());
    Ok(ImageWish {
        repository,
        tag,
        follow_operator: tenant.annotations().get(ANNOTATION_UPGRADE).is_some_and(|value| value != "false"),
        // A pin that cannot be read is no pin: the StatefulSet's annotation or the operator's image take its place.
        pinned: derived.and_then(|derived| derived.pinned_image.parse().ok()),
    })
}

/// Only what would make the API server refuse the pod, or hide a tag in the repository; the definition is stricter.
fn is_repository(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte);
    let name = text.rsplit('/').next().unwrap_or(text);
    text.len() <= 255 && text.bytes().all(plain) && !name.is_empty() && !name.contains(':')
}

fn is_tag(text: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(first)
        && text.bytes().all(|byte| first(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use kvtenant_api::KVTenantSpec;

    fn with(change: impl FnOnce(&mut KVTenant)) -> Result<ValidTenant, InvalidTenant> {
        let mut tenant = KVTenant::new("analytics", KVTenantSpec::default());
        tenant.metadata.namespace = Some("shop".to_owned());
        tenant.metadata.uid = Some("uid-1".to_owned());
        change(&mut tenant);
        validate(&tenant)
    }

    /// K12: nothing but a name is required, and the tenant is called like its object.
    #[test]
    fn an_empty_spec_is_one_node_of_512mi() {
        let valid = with(|_| {}).expect("an empty spec is valid");
        assert_eq!(valid.tenant.as_str(), "analytics");
        assert_eq!((valid.nodes, valid.suspended, valid.deleting), (1, false, false));
        assert_eq!(valid.sizes.memory.to_string(), "512Mi");
    }

    /// Objects stored before a rule existed meet the same rules here as new ones do in the definition.
    #[test]
    fn every_rule_of_the_definition_stands_here_too() {
        assert_eq!(
            with(|tenant| tenant.metadata.name = Some("a".repeat(41))),
            Err(InvalidTenant::Name(NameError::TooLong))
        );
        assert_eq!(
            with(|tenant| tenant.spec.tenant = "A".to_owned()),
            Err(InvalidTenant::Tenant(NameError::NotALabel))
        );
        assert_eq!(with(|tenant| tenant.spec.tenant = "kv".to_owned()), Err(InvalidTenant::BarePath("kv".to_owned())));
        assert_eq!(
            with(|tenant| tenant.metadata.name = Some("admin".to_owned())),
            Err(InvalidTenant::BarePath("admin".to_owned()))
        );
        assert_eq!(with(|tenant| tenant.spec.replicas = 0), Err(InvalidTenant::NoReplica));
        assert_eq!(with(|tenant| tenant.spec.replicas = 2), Err(InvalidTenant::ManyReplicas));
        assert_eq!(
            with(|tenant| tenant.spec.memory = "1Mi".to_owned()),
            Err(InvalidTenant::Memory(MemoryError::TooSmall))
        );
        assert_eq!(with(|tenant| tenant.spec.image.repository = "a:1".to_owned()), Err(InvalidTenant::ImageRepository));
        assert_eq!(with(|tenant| tenant.spec.image.tag = "-".to_owned()), Err(InvalidTenant::ImageTag));
    }

    /// Whoever is refused at the door and whoever is refused behind it read the same.
    #[test]
    fn names_are_refused_in_the_words_of_the_definition() {
        assert_eq!(InvalidTenant::Name(NameError::TooLong).to_string(), rules::NAME_IS_SHORT.sentence);
        assert_eq!(InvalidTenant::Name(NameError::NotALabel).to_string(), rules::NAME_IS_LABEL.sentence);
        assert_eq!(InvalidTenant::Tenant(NameError::NotALabel).to_string(), rules::TENANT_IS_LABEL.sentence);
    }

    /// Suspending means no pods; the wish for a node is kept for the day it is resumed.
    #[test]
    fn a_suspended_tenant_wants_no_nodes() {
        let valid = with(|tenant| tenant.spec.suspend = true).expect("suspending is valid");
        assert_eq!((valid.nodes, valid.suspended), (0, true));
    }

    #[test]
    fn the_upgrade_annotation_counts_unless_it_says_false() {
        for (value, follow) in [("", true), ("true", true), ("2026-01-01", true), ("false", false)] {
            let valid = with(|tenant| {
                tenant.annotations_mut().insert(ANNOTATION_UPGRADE.to_owned(), value.to_owned());
            });
            assert_eq!(valid.expect("valid").image.follow_operator, follow, "{value:?}");
        }
    }
}
