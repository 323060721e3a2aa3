//! `POST …/kv/batch`: many keys created in one request, each by itself. Nothing is promised about all of them together;
//! only a batch with an item that could never be stored is refused before anything is done.

use std::collections::HashSet;
use std::fmt;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kvnode_core::store::attributes::Version;
use kvnode_core::store::command::{KeyAction, KeyCommand};
use kvnode_core::store::condition::Condition;
use kvnode_core::store::key::{Address, Key};
use kvnode_core::store::outcome::Reply;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::answer::JSON;
use super::body::ReadBody;
use super::call::Call;
use super::envelope;
use super::problem::Problem;
use super::write;

/// One request must not hold a thread for much longer than another.
const ITEMS_MAX: usize = 100;

const SHAPE: &str = r#"{"items": [{"key": "…", "value": …, "ttl"?: seconds, "tags"?: {…}}, …]}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'b> {
    #[serde(borrow)]
    items: Items<'b>,
}

/// The items as text, and how many there are. Those beyond the limit are counted and not kept.
struct Items<'b> {
    texts: Vec<&'b RawValue>,
    count: usize,
}

#[derive(Serialize)]
struct Failed {
    key: String,
    error: String,
}

pub(super) async fn create_all(call: Call, body: Body) -> Result<Response, Problem> {
    call.query(&[])?;
    envelope::form(&call.headers, false)?;
    let ReadBody { bytes, room } = call.read(body).await?;
    let Batch { items } = envelope::members(&bytes, SHAPE)?;
    let commands = commands(&call, &items)?;
    let total = commands.len();
    let mut texts: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut created: usize = 0;
    let mut errors = Vec::new();
    for command in commands {
        match create(&call, &command).await? {
            Ok(text) => {
                texts.extend((created > 0).then_some(b','));
                texts.extend(text);
                created += 1;
            }
            Err(problem) => {
                let key = command.address.key.as_str().to_owned();
                errors.push(Failed { key, error: problem.into_sentence() });
            }
        }
    }
    call.count("batch_create", if created > 0 { "success" } else { "error" });
    let errors = serde_json::to_string(&errors).expect("texts are always JSON");
    let mut answer = format!("{{\"created\":{created},\"total\":{total},\"items\":[").into_bytes();
    answer.extend(texts);
    answer.extend_from_slice(format!("],\"errors\":{errors}}}").as_bytes());
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, JSON)], room.body(answer)).into_response())
}

/// How many items a body has.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn items(body: &[u8]) -> Result<usize, Problem> {
    envelope::members(body, SHAPE).map(|Batch { items }| items.count)
}

/// One command for each item, or why there is an item that cannot have one.
fn commands<'b>(call: &Call, items: &Items<'b>) -> Result<Vec<KeyCommand<'b>>, Problem> {
    if !(1..=ITEMS_MAX).contains(&items.count) {
        let sentence = format!("The batch has {} items; it must have 1 to {ITEMS_MAX}.", items.count);
        return Err(Problem::unfit("BatchSize", sentence));
    }
    let mut commands: Vec<KeyCommand<'b>> = Vec::with_capacity(items.count);
    let mut keys = HashSet::with_capacity(items.count);
    for (number, text) in (1..).zip(&items.texts) {
        let command = command(call, number, text).map_err(|problem| problem.in_item(number))?;
        if !keys.insert(command.address.key.clone()) {
            let key = command.address.key.as_str();
            let sentence = format!("Key '{key}' stands in the batch twice; which of the two is meant cannot be told.");
            return Err(Problem::unfit("DoubleKey", sentence).in_item(number));
        }
        commands.push(command);
    }
    Ok(commands)
}

fn command<'b>(call: &Call, number: usize, text: &'b RawValue) -> Result<KeyCommand<'b>, Problem> {
    let (key, content) = envelope::item(text.get().as_bytes(), call.limits())?;
    let key = Key::new(&key, call.limits())?.into_owned();
    let write = write::created(content, call.default_ttl()).only(vec![Condition::IfVersion(Version::ABSENT)]);
    let idempotency = call.attempt.as_ref().map(|attempt| attempt.with_item(number, text.get().as_bytes()));
    let address = Address { namespace: call.caller.namespace, key };
    Ok(KeyCommand::new(address, KeyAction::Write(write)).once(idempotency))
}

/// The text of the entry, or why there is none.
async fn create(call: &Call, command: &KeyCommand<'_>) -> Result<Result<Vec<u8>, Problem>, Problem> {
    let key = &command.address.key;
    let creating = call.shared.run(command, |outcome| {
        let said = write::said(&outcome);
        let text = match outcome {
            Ok(Reply::Stored { entry, .. }) => Ok(call.describe(entry, None)),
            Ok(other) => unreachable!("a write was answered with {other:?}"),
            Err(refusal) => Err(write::there_already(key, &refusal)),
        };
        (said, text)
    });
    let (said, text) = creating.await?;
    call.show_write("batch_create", key, said);
    Ok(text)
}

impl<'de: 'b, 'b> Deserialize<'de> for Items<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;

        impl<'de> Visitor<'de> for Visit {
            type Value = Items<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of items")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Items<'de>, A::Error> {
                let mut texts = Vec::new();
                while texts.len() < ITEMS_MAX {
                    let Some(text) = items.next_element()? else { break };
                    texts.push(text);
                }
                let mut count = texts.len();
                while items.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Items { texts, count })
            }
        }

        deserializer.deserialize_seq(Visit)
    }
}
