//! The definition as it is installed: what the derive makes of the types, the columns of `kubectl get`, and the rules
//! that look at name and spec together, for which the derive has no place.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, JSONSchemaProps, ValidationRule,
};
use kube_core::CustomResourceExt;

use crate::names::BARE_PATHS;
use crate::rules::{NAME_IS_LABEL, NAME_IS_SHORT, RuleText};
use crate::spec::KVTenant;

/// The tenant's name in URLs, as CEL sees it on `object` (`self` or `oldSelf`).
fn tenant_of(object: &str) -> String {
    format!("(has({object}.spec.tenant) && {object}.spec.tenant != '' ? {object}.spec.tenant : {object}.metadata.name)")
}

fn rule(field: Option<&str>, rule: String, sentence: String) -> ValidationRule {
    let field_path = field.map(str::to_owned);
    ValidationRule { rule, message: Some(sentence), field_path, ..ValidationRule::default() }
}

/// A rule over metadata. It names no field: a path can only lead to what the schema describes, and metadata is not.
fn name_rule(text: RuleText) -> ValidationRule {
    rule(None, text.rule.to_owned(), text.sentence.to_owned())
}

/// Rules over the whole object. They judge the name the tenant ends up with, so that `metadata.name: kv` without a
/// `tenant` is refused just as `tenant: kv` is, and naming the default explicitly is not a change.
fn object_rules() -> Vec<ValidationRule> {
    let quoted = BARE_PATHS.map(|path| format!("'{path}'")).join(", ");
    let listed = BARE_PATHS.join(", ");
    let tenant = Some(".spec.tenant");
    vec![
        name_rule(NAME_IS_SHORT),
        name_rule(NAME_IS_LABEL),
        rule(
            tenant,
            format!("!({} in [{quoted}])", tenant_of("self")),
            format!(
                "tenant (by default metadata.name) must not be a path every node serves by itself ({listed}); \
                 set spec.tenant to another name"
            ),
        ),
        rule(
            tenant,
            format!("{} == {}", tenant_of("self"), tenant_of("oldSelf")),
            "tenant cannot change, because clients carry it in their URLs; make a new KVTenant instead".to_owned(),
        ),
    ]
}

fn column(name: &str, type_: &str, json_path: &str, description: &str) -> CustomResourceColumnDefinition {
    CustomResourceColumnDefinition {
        name: name.to_owned(),
        type_: type_.to_owned(),
        json_path: json_path.to_owned(),
        description: Some(description.to_owned()),
        ..CustomResourceColumnDefinition::default()
    }
}

/// The columns of `kubectl get kvtenants`. They show strings the operator wrote, because a column cannot compute.
fn columns() -> Vec<CustomResourceColumnDefinition> {
    vec![
        column("Ready", "string", ".status.summary.ready", "Ready nodes of wanted nodes"),
        column("Status", "string", ".status.summary.phase", "Where the tenant stands, in one word"),
        column("Memory", "string", ".status.summary.memory", "Memory of each node"),
        column("Age", "date", ".metadata.creationTimestamp", "Time since the tenant was made"),
        CustomResourceColumnDefinition {
            priority: Some(1), // shown by `-o wide` only
            ..column("Endpoint", "string", ".status.endpoint", "Where clients inside the cluster connect")
        },
    ]
}

/// The definition of KVTenant.
pub fn crd() -> CustomResourceDefinition {
    let mut crd = KVTenant::crd();
    for version in &mut crd.spec.versions {
        let schema: &mut JSONSchemaProps = version
            .schema
            .as_mut()
            .and_then(|validation| validation.open_api_v3_schema.as_mut())
            .expect("the derive gives every version a schema");
        schema.x_kubernetes_validations = Some(object_rules());
        version.additional_printer_columns = Some(columns());
    }
    crd
}
