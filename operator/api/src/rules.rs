//! Each rule of the definition with the one sentence a refused user reads: what is wrong, and what to do. The
//! definition carries both; kvtenant-plan, which checks the same rules again, says the same sentences.

use kube_core::Rule;

/// A CEL expression and what is said when it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleText {
    pub rule: &'static str,
    pub sentence: &'static str,
}

impl From<RuleText> for Rule {
    fn from(text: RuleText) -> Self {
        Self::new(text.rule).message(text.sentence)
    }
}

/// Of `metadata.name`.
pub const NAME_IS_SHORT: RuleText = RuleText {
    rule: "self.metadata.name.size() <= 40",
    sentence: "metadata.name must be at most 40 characters, so that the names of its objects fit",
};

/// Of `metadata.name`.
pub const NAME_IS_LABEL: RuleText = RuleText {
    rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    sentence: "metadata.name must be made of lower-case letters, digits and '-', begin with a letter and not end with '-'",
};

/// Of `spec.tenant`. Its length is the schema's.
pub const TENANT_IS_LABEL: RuleText = RuleText {
    rule: "self == '' || self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    sentence: "tenant must be made of lower-case letters, digits and '-', begin with a letter and not end with '-'",
};

/// Of `spec.replicas`.
pub const REPLICAS_AT_LEAST_ONE: RuleText =
    RuleText { rule: "self >= 1", sentence: "replicas must be at least 1; to stop the tenant set suspend: true" };

/// Of `spec.replicas`.
pub const REPLICAS_AT_MOST_ONE: RuleText =
    RuleText { rule: "self <= 1", sentence: "replicas must be 1: one node per tenant until clustering is there" };

/// Of `spec.memory`.
pub const MEMORY_IS_WHOLE: RuleText = RuleText {
    rule: "isQuantity(self) && quantity(self).isInteger()",
    sentence: "memory must be a whole number of bytes written as a quantity such as 512Mi or 4Gi",
};

/// Of `spec.memory`. What is no quantity is said by [`MEMORY_IS_WHOLE`] alone.
pub const MEMORY_AT_LEAST: RuleText = RuleText {
    rule: "!isQuantity(self) || quantity(self).compareTo(quantity('64Mi')) >= 0",
    sentence: "memory must be at least 64Mi: a node needs that much to run at all",
};

/// Of `spec.memory`.
pub const MEMORY_AT_MOST: RuleText = RuleText {
    rule: "!isQuantity(self) || quantity(self).compareTo(quantity('1Ti')) <= 0",
    sentence: "memory must be at most 1Ti, for each node",
};

/// Of `spec.image.repository`: an optional registry with its port, and path components as registries allow them.
pub const REPOSITORY_HAS_NO_TAG: RuleText = RuleText {
    rule: concat!(
        "self == '' || self.matches('^([a-zA-Z0-9.-]+(:[0-9]+)?/)?",
        "[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$')"
    ),
    sentence: concat!(
        "image.repository must be registry and name without a tag, for example ",
        "registry.example.com/kvtenant/kvnode; the tag goes into image.tag"
    ),
};

/// Of `spec.image.tag`.
pub const TAG_IS_A_TAG: RuleText = RuleText {
    rule: "self == '' || self.matches('^[a-zA-Z0-9_][a-zA-Z0-9_.-]*$')",
    sentence: "image.tag must be made of letters, digits, '_', '.' and '-', and begin with a letter, a digit or '_'",
};
