//! What each test has of its own: a namespace, a client with all rights, and short words for what people do to tenants.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use kvtenant_tests::api::ApiServer;
use kvtenant_tests::clock::wait_until;
use serde_json::{Value, json};

use crate::audit::{self, Asked};
use crate::objects::children;
use crate::running::{self, Operator, SOON};

/// Who applies what in these tests; the fields are theirs then, and not the operator's.
const PERSON: &str = "a-person";

/// A namespace of a test's own.
pub(crate) struct World<'a> {
    pub(crate) server: &'a ApiServer,
    pub(crate) operator: &'a Operator,
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl World<'static> {
    /// On the shared control plane, with the shared operator ready.
    pub(crate) async fn new() -> Result<Self> {
        let (server, operator) = running::shared();
        operator.wait_ready().await?;
        Self::on(server, operator).await
    }
}

impl<'a> World<'a> {
    pub(crate) async fn on(server: &'a ApiServer, operator: &'a Operator) -> Result<Self> {
        let client = server.client().await?;
        let namespace = server.namespace(&client).await?;
        Ok(Self { server, operator, client, namespace })
    }

    /// The same with another operator, in the same namespace.
    pub(crate) fn with(self, operator: &'a Operator) -> Self {
        Self { operator, ..self }
    }

    pub(crate) fn api(&self, kind: &str) -> Api<DynamicObject> {
        let (group, version) = match kind {
            "KVTenant" => ("kvtenant.io", "v1alpha1"),
            "StatefulSet" => ("apps", "v1"),
            "Event" => ("events.k8s.io", "v1"),
            _ => ("", "v1"),
        };
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// An object as the API server has it.
    pub(crate) async fn get(&self, kind: &str, name: &str) -> Result<Value> {
        let found = self.find(kind, name).await?;
        found.with_context(|| format!("there is no {kind} {name}"))
    }

    pub(crate) async fn find(&self, kind: &str, name: &str) -> Result<Option<Value>> {
        Ok(self.api(kind).get_opt(name).await?.map(serde_json::to_value).transpose()?)
    }

    pub(crate) async fn make(&self, object: Value) -> Result<Value> {
        let object: DynamicObject = serde_json::from_value(object)?;
        let kind = object.types.clone().context("an object says its kind")?.kind;
        Ok(serde_json::to_value(self.api(&kind).create(&PostParams::default(), &object).await?)?)
    }

    /// Changes parts of an object, as `kubectl patch --type merge` does.
    pub(crate) async fn patch(&self, kind: &str, name: &str, patch: Value) -> Result<Value> {
        let patched = self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(serde_json::to_value(patched)?)
    }

    pub(crate) async fn delete(&self, kind: &str, name: &str) -> Result<()> {
        self.api(kind).delete(name, &kube::api::DeleteParams::default()).await?;
        Ok(())
    }

    /// `kubectl apply --server-side` of a KVTenant.
    pub(crate) async fn apply(&self, name: &str, spec: Value) -> Result<Value> {
        let tenant = json!({
            "apiVersion": "kvtenant.io/v1alpha1", "kind": "KVTenant", "metadata": {"name": name}, "spec": spec,
        });
        let applied = self.api("KVTenant").patch(name, &PatchParams::apply(PERSON), &Patch::Apply(tenant)).await?;
        Ok(serde_json::to_value(applied)?)
    }

    /// A tenant all of whose objects exist.
    pub(crate) async fn tenant(&self, name: &str) -> Result<Value> {
        let tenant = self.apply(name, json!({})).await?;
        self.wait_for_children(name).await?;
        Ok(tenant)
    }

    /// A tenant whose node serves, as far as Kubernetes can tell.
    pub(crate) async fn ready_tenant(&self, name: &str) -> Result<Value> {
        self.tenant(name).await?;
        self.pod_serves(&format!("{name}-0"), None).await?;
        self.wait_for_condition(name, "Ready", "True", "NodesReady").await?;
        self.get("KVTenant", name).await
    }

    pub(crate) async fn wait_for_children(&self, tenant: &str) -> Result<()> {
        self.wait(&format!("all objects of {tenant}"), || async {
            for (kind, name) in children(tenant) {
                self.get(kind, &name).await?;
            }
            Ok(Some(()))
        })
        .await
    }

    /// Waits until the condition has this status and reason, and gives it.
    pub(crate) async fn wait_for_condition(
        &self,
        tenant: &str,
        about: &str,
        status: &str,
        reason: &str,
    ) -> Result<Value> {
        self.wait(&format!("{about}={status} ({reason}) of {tenant}"), || async {
            let conditions = self.get("KVTenant", tenant).await?["status"]["conditions"].take();
            let mut all = conditions.as_array().into_iter().flatten();
            let found = all.find(|condition| condition["type"] == about).cloned();
            let found = found.with_context(|| format!("{conditions}"))?;
            anyhow::ensure!(found["status"] == status && found["reason"] == reason, "{conditions}");
            Ok(Some(found))
        })
        .await
    }

    /// Waits for a pod, another one than `former`, and says in a kubelet's place what its status is.
    pub(crate) async fn pod_is(&self, pod: &str, former: Option<&Value>, status: Value) -> Result<Value> {
        let found = self
            .wait(&format!("pod {pod}"), || async {
                let pod = self.get("Pod", pod).await?;
                Ok(former.is_none_or(|former| pod["metadata"]["uid"] != *former).then_some(pod))
            })
            .await?;
        let patch = json!({"metadata": {"uid": found["metadata"]["uid"]}, "status": status});
        self.api("Pod").patch_status(pod, &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(found)
    }

    /// The pod runs and answers its readiness probe.
    pub(crate) async fn pod_serves(&self, pod: &str, former: Option<&Value>) -> Result<Value> {
        let ready = json!({"type": "Ready", "status": "True"});
        self.pod_is(pod, former, json!({"phase": "Running", "conditions": [ready]})).await
    }

    /// Has the operator look at the tenant again, and waits until it does. Whatever the pass before did is done then.
    pub(crate) async fn another_pass(&self, tenant: &str) -> Result<()> {
        let before = self.operator.passes(&self.namespace, tenant)?;
        let touch = json!({"metadata": {"annotations": {"example.com/touched": before.to_string()}}});
        self.patch("KVTenant", tenant, touch).await?;
        self.wait("another pass", || async {
            Ok((self.operator.passes(&self.namespace, tenant)? > before).then_some(()))
        })
        .await
    }

    /// The Events that tell a tenant's story.
    pub(crate) async fn events(&self, tenant: &Value) -> Result<Vec<Value>> {
        let all = self.api("Event").list(&ListParams::default()).await?;
        let all: Vec<Value> = all.items.into_iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
        let about = |event: &Value| event["regarding"]["uid"] == tenant["metadata"]["uid"];
        Ok(all.into_iter().filter(about).collect())
    }

    /// Names of a kind's objects that carry the tenant's label.
    pub(crate) async fn labelled(&self, kind: &str, tenant: &str) -> Result<Vec<String>> {
        let found = self.api(kind).list(&ListParams::default().labels(&format!("kvtenant.io/tenant={tenant}"))).await?;
        Ok(found.items.iter().map(ResourceExt::name_any).collect())
    }

    /// What the operator wrote in this namespace so far.
    pub(crate) fn writes(&self) -> Result<Vec<Asked>> {
        audit::writes(self.server, &self.namespace)
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        running::kubectl(self.server, &[&["-n", &self.namespace][..], arguments].concat())
    }

    pub(crate) fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }

    /// Waits for a condition; in vain, it shows what the operator said about this namespace.
    pub(crate) async fn wait<T, F>(&self, what: &str, look: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        wait_until(what, SOON, look).await.with_context(|| self.operator.last_lines(&self.namespace))
    }
}
