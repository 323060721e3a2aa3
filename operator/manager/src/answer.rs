//! The client library's errors in words for people. Its own text repeats the API server's answer in full, structure and
//! all; what a person needs is the one sentence in it.

use kube::runtime::watcher;

/// What went wrong with a request.
pub(crate) fn words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(answer) if !answer.message.is_empty() => answer.message.clone(),
        kube::Error::Api(answer) => format!("the API server answered {} {}", answer.code, answer.reason),
        other => with_causes(other),
    }
}

/// True when the namespace around the object is being deleted: nothing can be made there any more, and nothing has to.
pub(crate) fn is_namespace_going(error: &kube::Error) -> bool {
    let kube::Error::Api(answer) = error else { return false };
    let causes = answer.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// What went wrong with a watch.
pub(crate) fn watch_words(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => words(error),
        watcher::Error::WatchError(answer) => answer.message.clone(),
        watcher::Error::NoResourceVersion => "the API server sent a list without a version".to_owned(),
    }
}

/// An error with what caused it: the outermost text of a failed connection only says that one failed.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = inner.source();
    }
    text
}
