//! The schemas as kubeconform itself applies them.

use std::fs::File;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use tempfile::TempDir;

use super::{SETS_KEPT, make, tidy};
use crate::programs::{Family, Programs};
use crate::{home, shell};

/// A definition with what ours does not have: numbers or names, embedded objects, open objects, two versions.
const KITE: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: kites.sky.example.com}
spec:
  group: sky.example.com
  scope: Namespaced
  names: {kind: Kite, plural: kites}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          metadata: {type: object, properties: {name: {type: string, maxLength: 5}}}
          spec:
            type: object
            required: [port, colour]
            properties:
              port: {x-kubernetes-int-or-string: true}
              colour: {type: string, default: red}
              tail: {type: string, nullable: true}
              notes: {type: object, x-kubernetes-preserve-unknown-fields: true}
              template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
  - name: v0
    served: false
    storage: false
    schema: {openAPIV3Schema: {type: object}}
";

const KITE_IN_THE_SKY: &str = r"
apiVersion: sky.example.com/v1
kind: Kite
metadata: {name: red, labels: {wind: strong}}
spec:
  port: http
  tail: null
  notes: {anything: [1, goes]}
  template: {apiVersion: v1, kind: Bird, metadata: {name: gull}, wings: 2}
";

const DEPLOYMENT: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, creationTimestamp: null}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        readinessProbe: {httpGet: {path: /, port: http}}
        resources: {limits: {cpu: 0.5, memory: 512Mi}}
";

const SERVICE: &str = r"
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80, targetPort: 3000}], selector: {app: web}}
";

const TENANT: &str = r"
apiVersion: kvtenant.io/v1alpha1
kind: KVTenant
metadata: {name: shop, labels: {team: sales}}
spec: {memory: 1Gi, replicas: 1, image: {pullSecrets: [{name: mine}]}}
";

struct Judge {
    schemas: TempDir,
    location: String,
}

impl Judge {
    fn with_our_definitions() -> Result<Self> {
        let schemas = tempfile::tempdir()?;
        let location = make(schemas.path(), &home::workspace().join("crds"))?;
        Ok(Self { schemas, location })
    }

    fn with_the_definition(crd: &str) -> Result<Self> {
        let (schemas, crds) = (tempfile::tempdir()?, tempfile::tempdir()?);
        home::write(crds.path().join("one.yaml"), crd)?;
        let location = make(schemas.path(), crds.path())?;
        Ok(Self { schemas, location })
    }

    /// What kubeconform says when it finds the manifest wrong.
    fn refusal(&self, manifest: &str) -> Result<Option<String>> {
        let kubeconform = Programs::of(Family::Kubeconform)?.path("kubeconform");
        let mut line = shell::command(kubeconform, &["-strict", "-schema-location", &self.location]);
        Ok(shell::output_with_input(&mut line, manifest.as_bytes()).err().map(|error| format!("{error:#}")))
    }

    #[track_caller]
    fn accepts(&self, manifest: &str) {
        assert_eq!(self.refusal(manifest).unwrap(), None, "{manifest}");
    }

    /// Refused after one change, with words that name the place; and accepted without it, so that the change is why.
    #[track_caller]
    fn refuses(&self, manifest: &str, (right, wrong): (&str, &str), words: &[&str]) {
        self.accepts(manifest);
        assert_eq!(manifest.matches(right).count(), 1, "{right} stands once in {manifest}");
        let refusal = self.refusal(&manifest.replace(right, wrong)).unwrap().unwrap_or_default();
        for word in words {
            assert!(refusal.contains(word), "{wrong}: `{word}` is not in: {refusal}");
        }
    }
}

#[test]
fn a_wrong_field_in_a_deployment_is_named() {
    let judge = Judge::with_our_definitions().unwrap();
    judge.refuses(DEPLOYMENT, ("image:", "imagee:"), &["Deployment web", "/containers/0", "imagee"]);
    judge.refuses(DEPLOYMENT, ("{cpu: 0.5, memory: 512Mi}", "{memory: 512MB}"), &["/limits/memory", "512MB"]);
    judge.refuses(DEPLOYMENT, ("port: http", "port: [http]"), &["/httpGet/port", "got array"]);
    judge.refuses(DEPLOYMENT, ("selector:", "selektor:"), &["'/spec'", "selector", "selektor"]);
    judge.refuses(DEPLOYMENT, ("labels: {app: web}", "labels: null"), &["/template/metadata/labels", "got null"]);
}

#[test]
fn an_unknown_field_in_a_service_is_named() {
    let judge = Judge::with_our_definitions().unwrap();
    judge.refuses(SERVICE, ("targetPort", "targetport"), &["Service web", "/spec/ports/0", "targetport"]);
    judge.refuses(SERVICE, ("port: 80", "port: '80'"), &["/spec/ports/0/port", "got string"]);
}

#[test]
fn a_wrong_type_in_a_tenant_is_named() {
    let judge = Judge::with_our_definitions().unwrap();
    judge.refuses(TENANT, ("replicas: 1", "replicas: many"), &["KVTenant shop", "/spec/replicas", "got string"]);
    judge.refuses(TENANT, ("memory: 1Gi", "memori: 1Gi"), &["'/spec'", "memori"]);
    judge.refuses(TENANT, ("{name: mine}", "{nam: mine}"), &["/spec/image/pullSecrets/0", "nam"]);
    judge.refuses(TENANT, ("labels", "lables"), &["/metadata", "lables"]);
    judge.refuses(TENANT, ("v1alpha1", "v1"), &["could not find schema for KVTenant"]);
}

#[test]
fn a_secret_holds_base64() {
    let judge = Judge::with_our_definitions().unwrap();
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: key}, data: {key: c2VjcmV0}}";
    judge.refuses(secret, ("c2VjcmV0", "not-encoded"), &["Secret key", "/data/key"]);
}

#[test]
fn the_schema_inside_a_definition_is_judged() {
    let judge = Judge::with_our_definitions().unwrap();
    judge.refuses(KITE, ("maxLength", "maxLenght"), &["CustomResourceDefinition", "maxLenght"]);
    judge.refuses(KITE, ("default: red", "defalt: red"), &["/spec/properties/colour", "defalt"]);
    let maps = "type: object, additionalProperties: {type: string}, x-kubernetes-map-type: atomic";
    judge.accepts(&KITE.replace("x-kubernetes-int-or-string: true", maps));
    judge.accepts(&KITE.replace("x-kubernetes-int-or-string: true", "type: object, additionalProperties: true"));
}

#[test]
fn marks_in_a_definition_are_heeded() {
    let judge = Judge::with_the_definition(KITE).unwrap();
    judge.refuses(KITE_IN_THE_SKY, ("port: http", "port: 0.5"), &["Kite red", "/spec/port", "got number"]);
    judge.refuses(KITE_IN_THE_SKY, ("name: red", "name: yellow"), &["/metadata/name", "maxLength"]);
    judge.refuses(KITE_IN_THE_SKY, ("wind: strong", "wind: 7"), &["/metadata/labels/wind", "got number"]);
    judge.refuses(KITE_IN_THE_SKY, ("name: gull", "nam: gull"), &["/spec/template/metadata", "nam"]);
    judge.refuses(KITE_IN_THE_SKY, ("tail: null", "tale: null"), &["/spec", "tale"]);
    judge.refuses(KITE_IN_THE_SKY, ("com/v1", "com/v0"), &["could not find schema for Kite"]);
}

#[test]
fn the_same_kind_in_two_groups_has_two_schemas() {
    let judge = Judge::with_our_definitions().unwrap();
    let old = "{apiVersion: v1, kind: Event, metadata: {name: a}, involvedObject: {name: b}}";
    let new = "{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: a}, regarding: {name: b}, \
               eventTime: '2026-01-01T00:00:00.000000Z'}";
    judge.refuses(old, ("involvedObject", "regarding"), &["Event a", "regarding"]);
    judge.refuses(new, ("regarding", "involvedObject"), &["Event a", "involvedObject"]);
}

#[test]
fn schemas_are_made_for_a_new_folder_and_for_definitions_only() {
    let judge = Judge::with_our_definitions().unwrap();
    let again = make(judge.schemas.path(), &home::workspace().join("crds")).unwrap_err().to_string();
    assert!(again.contains("is not empty"), "{again}");
    let nothing = tempfile::tempdir().unwrap();
    let error = make(&nothing.path().join("schemas"), nothing.path()).unwrap_err().to_string();
    assert!(error.contains("no CustomResourceDefinition"), "{error}");
}

#[test]
fn the_oldest_sets_are_tidied_away_and_never_the_newest() {
    let kept = tempfile::tempdir().unwrap();
    let set = |name: &str| kept.path().join(name);
    // The newest has the oldest date: whatever a clock says, the set that is about to be read stays.
    for (age, name) in ["newest", "oldest", "old", "a", "b", "c"].into_iter().enumerate() {
        home::made(set(name)).unwrap();
        let made = SystemTime::UNIX_EPOCH + Duration::from_secs(age as u64);
        File::open(set(name)).unwrap().set_modified(made).unwrap();
    }
    home::write(set("lock"), "").unwrap();
    tidy(kept.path(), &set("newest")).unwrap();
    let left = |name: &&str| set(name).is_dir();
    let left: Vec<_> = ["newest", "oldest", "old", "a", "b", "c"].into_iter().filter(left).collect();
    assert_eq!(left, ["newest", "a", "b", "c"]);
    assert_eq!(left.len(), SETS_KEPT);
    assert!(set("lock").is_file());
}
