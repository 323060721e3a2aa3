//! What is installed by kustomize and by Helm, and what users copy: kept from drifting apart, and from the program.

use std::path::{Path, PathBuf};

use kvtenant_api::KVTenant;
use serde_yaml::Value;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn text(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn yaml(file: &str) -> Value {
    serde_yaml::from_str(&text(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn rules(file: &str) -> String {
    let text = text(file);
    let (_, rules) = text.split_once("\nrules:\n").unwrap_or_else(|| panic!("{file} has no rules"));
    rules.to_owned()
}

/// Whoever installs by Helm must not get other rights than whoever installs by kustomize.
#[test]
fn both_ways_of_installing_give_the_same_rights() {
    assert_eq!(
        rules("config/rbac/cluster_role.yaml"),
        rules("charts/kvtenant-operator/templates/cluster_role.yaml"),
        "the rules must be the same word for word"
    );
}

/// A wildcard grants what nobody has thought of yet.
#[test]
fn no_right_is_a_wildcard_and_each_says_what_for() {
    let rules = rules("config/rbac/cluster_role.yaml");
    assert!(!rules.contains('*'), "{rules}");
    let mut explained = false;
    for line in rules.lines() {
        if line.starts_with("  - ") {
            assert!(explained, "no comment stands above {line:?}");
        }
        explained = line.starts_with("  # ");
    }
}

/// The chart's Deployment with its values filled in by hand.
fn chart_deployment() -> Value {
    let values = yaml("charts/kvtenant-operator/values.yaml");
    let word = |path: [&str; 2]| values[path[0]][path[1]].as_str().expect("a text").to_owned();
    let mut filled = text("charts/kvtenant-operator/templates/deployment.yaml");
    let start = filled.find("      {{- with").expect("the block of pull secrets");
    let end = filled.find("{{- end }}\n").expect("its end") + "{{- end }}\n".len();
    filled.replace_range(start..end, "");
    let resources = serde_yaml::to_string(&values["resources"]).expect("YAML").replace('\n', "\n              ");
    for (template, value) in [
        ("{{ .Release.Namespace }}", "kvtenant-system".to_owned()),
        ("{{ .Values.image.repository }}", word(["image", "repository"])),
        ("{{ .Values.image.tag | default .Chart.AppVersion }}", VERSION.to_owned()),
        ("{{ .Values.image.pullPolicy }}", word(["image", "pullPolicy"])),
        ("{{ .Values.kvnodeImage.repository }}", word(["kvnodeImage", "repository"])),
        ("{{ .Values.kvnodeImage.tag | default .Chart.AppVersion }}", VERSION.to_owned()),
        ("{{ .Values.logLevel }}", values["logLevel"].as_str().expect("a text").to_owned()),
        ("{{- toYaml .Values.resources | nindent 12 }}", format!("  {resources}")),
    ] {
        assert!(filled.contains(template), "the chart no longer uses {template}");
        filled = filled.replace(template, &value);
    }
    assert!(!filled.contains("{{"), "a value this test does not know: {filled}");
    serde_yaml::from_str(&filled).unwrap_or_else(|error| panic!("{error}: {filled}"))
}

/// C98. Also holds the versions together: the manifests name the version that is built here.
#[test]
fn both_ways_of_installing_run_the_same_operator() {
    assert_eq!(yaml("config/manager/deployment.yaml"), chart_deployment());
}

#[test]
fn the_charts_have_the_version_of_the_program() {
    for chart in ["kvtenant-operator", "kvtenant-crds"] {
        let chart = yaml(&format!("charts/{chart}/Chart.yaml"));
        assert_eq!(chart["version"], VERSION, "{chart:?}");
        assert_eq!(chart["appVersion"], VERSION, "{chart:?}");
    }
}

fn sample(file: &str) -> KVTenant {
    serde_yaml::from_value(yaml(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// K10, K54: what people copy must be accepted.
#[test]
fn the_samples_are_valid() {
    for file in ["config/samples/analytics.yaml", "config/samples/template.yaml"] {
        let valid = kvtenant_plan::validate(&sample(file));
        assert!(valid.is_ok(), "{file}: {valid:?}");
    }
    assert_eq!(text("config/samples/analytics.yaml").lines().count(), 4, "four lines are the promise");
}

/// K54: a field that is missing in the template is a field nobody finds.
#[test]
fn the_template_shows_every_field_with_its_default() {
    fn walk(at: &str, schema: &serde_json::Value, sample: &Value, missing: &mut Vec<String>) {
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            match sample.get(name) {
                None => missing.push(at),
                Some(value) => {
                    let default = &field["default"];
                    if !default.is_null() && !default.is_object() {
                        let value = serde_json::to_value(value).expect("YAML of JSON's kinds");
                        assert_eq!(value, *default, "{at} is not the default");
                    }
                    walk(&at, field, value, missing);
                }
            }
        }
    }
    let crd = serde_json::to_value(kvtenant_api::crd()).expect("JSON");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let mut missing = Vec::new();
    walk("spec", schema, &yaml("config/samples/template.yaml")["spec"], &mut missing);
    assert!(missing.is_empty(), "not in the template: {missing:?}");
}
