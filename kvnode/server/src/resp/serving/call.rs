//! One command on its way to its answer.

use kvnode_core::store::command::{KeyAction, Write};
use kvnode_core::store::entry::EntryRef;
use kvnode_core::store::key::Key;
use kvnode_core::store::outcome::{Outcome, Refusal, Reply};
use kvnode_core::store::partition::Place;
use kvnode_core::store::value::Value;

use super::executor::Executor;
use super::failure::Failure;
use super::session::Session;
use crate::resp::commands::Name;
use crate::resp::reply::Writer;
use crate::resp::request::Arguments;
use crate::settings::live::LiveSettings;
use crate::shared::Shared;

/// Keys whose places are touched before the first of them is asked for.
const TOUCHED_AHEAD: usize = 32;

pub(super) struct Call<'c, 's> {
    pub(super) name: Name,
    pub(super) arguments: Arguments<'c>,
    /// That of the first key, if the command has keys.
    pub(super) place: Option<Place>,
    pub(super) session: &'c mut Session,
    pub(super) writer: Writer<'c>,
    pub(super) executor: Executor<'c, 's>,
    pub(super) shared: &'c Shared,
    pub(super) live: &'c LiveSettings,
}

/// What a command gives back: nothing, because its answer is written, or why there is none.
pub(super) type Done<'c> = Result<(), Failure<'c>>;

/// A key, and where it is looked for.
pub(super) type Placed<'c> = (Key<'c>, Place);

impl<'c> Call<'c, '_> {
    /// The first key.
    #[inline]
    pub(super) fn key(&self) -> Result<Placed<'c>, Failure<'c>> {
        let bytes = self.argument(1);
        let key = self.checked(bytes)?;
        Ok((key, self.place.unwrap_or_else(|| self.executor.store.place_of(bytes))))
    }

    pub(super) fn other_key(&self, bytes: &'c [u8]) -> Result<Placed<'c>, Failure<'c>> {
        Ok((self.checked(bytes)?, self.executor.store.place_of(bytes)))
    }

    fn checked(&self, bytes: &'c [u8]) -> Result<Key<'c>, Failure<'c>> {
        let text = std::str::from_utf8(bytes).map_err(|_| Failure::KeyNotText)?;
        Ok(Key::new(text, &self.live.limits)?)
    }

    /// For positions that the command's arity promises.
    #[inline]
    pub(super) fn argument(&self, index: usize) -> &'c [u8] {
        self.arguments.get(index).unwrap_or_default()
    }

    pub(super) fn value(&self, index: usize) -> Result<Value<'c>, Failure<'c>> {
        Ok(Value::bytes(self.argument(index), &self.live.limits)?)
    }

    /// Reads the first key's entry; the writer is given what there is of it.
    pub(super) fn read(&mut self, answer: impl FnOnce(&mut Writer<'_>, Option<EntryRef<'_>>)) -> Done<'c> {
        let (key, place) = self.key()?;
        let writer = &mut self.writer;
        self.executor.execute(key, place, KeyAction::Get, |outcome| answer(writer, found(&outcome)));
        Ok(())
    }

    /// Changes the first key's entry. What the answer makes of the outcome is the command's own affair.
    pub(super) fn write<R>(
        &mut self,
        write: Write<'_>,
        answer: impl FnOnce(&mut Writer<'_>, Outcome<EntryRef<'_>>) -> Result<R, Refusal>,
    ) -> Result<R, Failure<'c>> {
        let (key, place) = self.key()?;
        let writer = &mut self.writer;
        Ok(self.executor.execute(key, place, KeyAction::Write(write), |outcome| answer(writer, outcome))?)
    }

    /// All keys, each with its position. Nothing is done before all of them are known to be good.
    pub(super) fn keys(&self, step: usize) -> Result<Vec<(usize, Placed<'c>)>, Failure<'c>> {
        let positions = (1..self.arguments.len()).step_by(step);
        positions.map(|position| Ok((position, self.other_key(self.argument(position))?))).collect()
    }

    /// One key after the other; what they need is brought near for many of them at once.
    pub(super) fn each(
        &mut self,
        keys: Vec<(usize, Placed<'c>)>,
        mut each: impl FnMut(&mut Self, usize, Placed<'c>) -> Done<'c>,
    ) -> Done<'c> {
        let mut keys = keys.into_iter();
        loop {
            let near: Vec<_> = keys.by_ref().take(TOUCHED_AHEAD).collect();
            if near.is_empty() {
                return Ok(());
            }
            if self.executor.alone.is_none() && near.len() > 1 {
                let namespace = self.executor.namespace;
                let wanted: Vec<_> = near.iter().map(|(_, (_, place))| (namespace, *place)).collect();
                self.executor.store.touch(&wanted);
            }
            for (position, key) in near {
                each(self, position, key)?;
            }
        }
    }
}

pub(super) fn found<'e>(outcome: &Outcome<EntryRef<'e>>) -> Option<EntryRef<'e>> {
    match outcome {
        Ok(Reply::Found(entry)) => Some(*entry),
        _ => None,
    }
}
