//! One request, from its head to its answer, by the handlers that the general way has, too.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::response::IntoResponse;
use bytes::Bytes;
use http::Method;
use tokio::time::timeout;

use super::Hot;
use super::answer::Answer;
use super::head::Head;
use super::paths::Named;
use crate::http::call::{Asked, Call, told};
use crate::http::observe::{Observed, RequestId, too_long};
use crate::http::{read, write};

pub(super) async fn respond(hot: &Hot, from: IpAddr, head: Head<'_>, named: Named<'_>, body: Bytes) -> Answer {
    let shared = &hot.shared;
    let Head { method, path, query, headers, .. } = head;
    let observed =
        Observed { begun: shared.clock.instant(), id: RequestId::of(&headers), method: &method, endpoint: named.label };
    let asked = Asked { method: &method, path, query, from };
    let mut answering = pin!(async {
        let (id, key) = (observed.id.clone(), Some(named.key.into_owned()));
        let call = Call::admit(&asked, headers, key, id, Arc::clone(shared), named.dialect)?;
        match *asked.method {
            Method::GET => read::get(call).await,
            Method::PUT => write::put(call, body).await,
            _ => write::delete(call).await,
        }
    });
    // Nearly all are answered at once, without the trouble of a timer.
    let first = poll_fn(|context| Poll::Ready(answering.as_mut().poll(context))).await;
    let time_max = shared.settings.timeouts.request;
    let answered = match first {
        Poll::Ready(answered) => Some(answered),
        Poll::Pending => timeout(time_max, answering).await.ok(),
    };
    let response = match answered {
        Some(answered) => told(answered, named.dialect),
        None => too_long(time_max).into_response(),
    };
    let answer = Answer::of(response, observed.id.clone()).await;
    observed.end(shared, answer.status(), Some(path));
    answer
}
