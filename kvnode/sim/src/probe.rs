//! How the node looks from outside right after a step: every list, every count, and a few keys.

use kvnode_core::store::command::{AllCommand, Command, KeyAction, KeyCommand, List, PageLimit};
use kvnode_core::store::key::{Address, KeyPart, Namespace};
use kvnode_core::store::outcome::{Gathered, Reply};
use kvnode_core::time::UnixMillis;

use crate::subject::{Answer, Subject};
use crate::workload::{NAMESPACES, Step};

/// Keys of a page when everything is listed; small, so that pages are put together.
const PAGE_KEYS: usize = 15;

/// What one namespace shows.
#[derive(Clone, Debug)]
pub struct Shown {
    pub namespace: Namespace,
    /// All keys, page after page.
    pub listed: Vec<Box<str>>,
    pub counted: u64,
}

pub(crate) fn show_all(now: UnixMillis, subject: &mut dyn Subject) -> Vec<Shown> {
    let shown = |namespace| Shown {
        namespace,
        counted: match subject.gather(AllCommand::Count(namespace), now) {
            Gathered::Count(keys) => keys,
            other => unreachable!("a count was answered with {other:?}"),
        },
        listed: list_all(namespace, now, subject),
    };
    NAMESPACES.map(shown).into()
}

pub(crate) fn get(address: &Address<'static>) -> Step {
    Step::Execute(Command::Key(KeyCommand::new(address.clone(), KeyAction::Get)))
}

pub(crate) fn reply(answer: Answer) -> Reply {
    match answer {
        Answer::Key(Ok(reply)) => reply,
        other => unreachable!("a get was answered with {other:?}"),
    }
}

fn list_all(namespace: Namespace, now: UnixMillis, subject: &mut dyn Subject) -> Vec<Box<str>> {
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let limit = PageLimit::new(PAGE_KEYS).expect("within the range");
        let list = List { namespace, prefix: KeyPart::default(), after, limit };
        let Gathered::Keys(page) = subject.gather(AllCommand::List(list), now) else {
            unreachable!("a list is answered with keys")
        };
        listed.extend(page.keys);
        after = page.next;
        if after.is_none() {
            return listed;
        }
    }
}
