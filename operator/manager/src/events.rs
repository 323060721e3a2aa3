//! Events: what `kubectl describe` shows as the tenant's story. They inform and never decide, so one that cannot be
//! published is logged and forgotten; and they are published for changes only, so a settled tenant is silent.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::{Api, PostParams};
use kube::{Client, Resource};
use kvtenant_api::KVTenant;
use kvtenant_api::names::OPERATOR;
use kvtenant_plan::status::Transition;

use crate::answer::{is_namespace_going, words};
use crate::apply::Applied;
use crate::clock;
use crate::context::REQUEST_TIMEOUT;
use crate::metrics::Metrics;
use crate::random;

/// The API server refuses longer notes.
const NOTE_BYTES_MAX: usize = 1_024;

/// Publishes events.
#[derive(Clone)]
pub(crate) struct Events {
    client: Client,
    metrics: Metrics,
    instance: String,
}

/// What is told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct News {
    is_warning: bool,
    reason: &'static str,
    action: String,
    note: String,
}

impl Events {
    pub(crate) fn new(client: Client, metrics: Metrics) -> Self {
        // In a pod the host name is the pod's name.
        let instance = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
        Self { client, metrics, instance: instance.unwrap_or_else(|| OPERATOR.to_owned()) }
    }

    /// Tells that a condition changed.
    pub(crate) async fn tell_transition(&self, tenant: &KVTenant, transition: &Transition) {
        let news = News {
            is_warning: transition.is_warning(),
            reason: transition.reason.as_str(),
            action: format!("{}{}", transition.about, if transition.holds { "True" } else { "False" }),
            note: format!("{} is {}: {}", transition.about, transition.holds, transition.message),
        };
        self.tell(tenant, news).await;
    }

    /// Tells what a pass did to objects.
    pub(crate) async fn tell_applied(&self, tenant: &KVTenant, applied: &Applied) {
        for (reason, verb, objects) in [
            ("ObjectsMade", "made", &applied.made),
            ("ObjectsChanged", "changed", &applied.changed),
            ("ObjectsRemoved", "removed", &applied.removed),
        ] {
            if !objects.is_empty() {
                let note = format!("{verb} {}", objects.join(", "));
                self.tell(tenant, News { is_warning: false, reason, action: "Apply".to_owned(), note }).await;
            }
        }
    }

    async fn tell(&self, tenant: &KVTenant, news: News) {
        let reason = news.reason;
        tracing::info!(reason, warning = news.is_warning, "{}", news.note);
        let event = self.event(tenant.object_ref(&()), news);
        let namespace = tenant.metadata.namespace.as_deref().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PostParams::default();
        match tokio::time::timeout(REQUEST_TIMEOUT, api.create(&parameters, &event)).await {
            Ok(Ok(_)) => self.metrics.published(reason),
            Ok(Err(error)) if is_namespace_going(&error) => {}
            Ok(Err(error)) => tracing::warn!(reason, "an event could not be published: {}", words(&error)),
            Err(_) => tracing::warn!(reason, "an event could not be published in time"),
        }
    }

    fn event(&self, regarding: ObjectReference, news: News) -> Event {
        let name = format!("{}.{}", regarding.name.as_deref().unwrap_or(OPERATOR), random::suffix());
        Event {
            metadata: ObjectMeta { name: Some(name), namespace: regarding.namespace.clone(), ..ObjectMeta::default() },
            type_: Some(if news.is_warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(news.reason.to_owned()),
            action: Some(news.action),
            note: Some(shortened(news.note)),
            event_time: Some(MicroTime(clock::now())),
            regarding: Some(regarding),
            reporting_controller: Some(format!("kvtenant.io/{OPERATOR}")),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        }
    }
}

fn shortened(mut note: String) -> String {
    if note.len() > NOTE_BYTES_MAX {
        let mark = '…';
        let mut end = NOTE_BYTES_MAX - mark.len_utf8();
        while !note.is_char_boundary(end) {
            end -= 1;
        }
        note.truncate(end);
        note.push(mark);
    }
    note
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_at_a_character() {
        assert_eq!(shortened("short".to_owned()), "short");
        for filler in ["x", "ä", "€", "𝄞"] {
            let cut = shortened(filler.repeat(2_000));
            assert!(cut.len() <= NOTE_BYTES_MAX && cut.ends_with('…'), "{}", cut.len());
        }
    }
}
