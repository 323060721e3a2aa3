//! A value to which the operations of a JSON Patch are applied, one after the other. It is thrown away when one of them
//! fails, so that either all of them happen or none.

use super::equality::equal;
use super::operation::{Action, Operation};
use super::pointer::{Index, Pointer, Token};
use super::tree::{Items, Node};
use super::work::Work;
use super::{PatchError, PatchLimits};

#[derive(Debug)]
pub(super) struct Document<'a> {
    root: Node<'a>,
    limits: PatchLimits,
    work: Work,
    /// Text of the patch is in here once at most, however it is moved; only copies can multiply what there is.
    copied_bytes: usize,
}

/// A pointer of an operation that is being carried out.
#[derive(Clone, Copy)]
struct Place<'a> {
    operation: usize,
    pointer: &'a Pointer<'a>,
}

impl<'a> Document<'a> {
    pub(super) fn new(stored: &'a str, limits: PatchLimits, work: Work) -> Self {
        Self { root: Node::Text(stored), limits, work, copied_bytes: 0 }
    }

    pub(super) fn into_root(self) -> Node<'a> {
        self.root
    }

    pub(super) fn run(&mut self, operation: &'a Operation<'a>) -> Result<(), PatchError> {
        let place = |pointer| Place { operation: operation.number, pointer };
        let path = place(&operation.path);
        match &operation.action {
            Action::Add(value) => self.add(path, Node::Text(value)),
            Action::Remove => self.remove(path).map(drop),
            Action::Replace(value) => self.replace(path, Node::Text(value)),
            Action::Move { from } => self.move_value(place(from), path),
            Action::Copy { from } => self.copy_value(place(from), path),
            Action::Test(value) => self.test(path, value),
        }
    }

    fn add(&mut self, path: Place<'a>, value: Node<'a>) -> Result<(), PatchError> {
        self.check_nesting(path, &value)?;
        let Some((last, parents)) = path.pointer.tokens.split_last() else {
            self.root = value;
            return Ok(());
        };
        match path.open(parents, &mut self.root, &mut self.work)? {
            Items::Object(object) => *object.entry(last.name(), &mut self.work)? = value,
            Items::Array(elements) => {
                let index = match last.index {
                    Some(Index::End) => elements.len(),
                    Some(Index::At(index)) if index <= elements.len() => index,
                    other => return Err(path.no_element(other)),
                };
                self.work.spend(elements.len() - index)?;
                elements.insert(index, value);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: Place<'a>) -> Result<Node<'a>, PatchError> {
        let Some((last, parents)) = path.pointer.tokens.split_last() else {
            return Err(path.no_target("a key has a value; the whole of it goes by DELETE"));
        };
        match path.open(parents, &mut self.root, &mut self.work)? {
            Items::Object(object) => {
                object.remove(last.name(), &mut self.work)?.ok_or_else(|| path.no_target(NO_MEMBER))
            }
            Items::Array(elements) => match last.index {
                Some(Index::At(index)) if index < elements.len() => {
                    self.work.spend(elements.len() - index)?;
                    Ok(elements.remove(index))
                }
                other => Err(path.no_element(other)),
            },
        }
    }

    fn replace(&mut self, path: Place<'a>, value: Node<'a>) -> Result<(), PatchError> {
        self.check_nesting(path, &value)?;
        *path.find(&path.pointer.tokens, &mut self.root, &mut self.work)? = value;
        Ok(())
    }

    fn move_value(&mut self, from: Place<'a>, path: Place<'a>) -> Result<(), PatchError> {
        if path.pointer.starts_with(from.pointer) {
            if !from.pointer.starts_with(path.pointer) {
                return Err(PatchError::MoveIntoItself { operation: from.operation, pointer: from.pointer.shown() });
            }
            // Where it is already; taken out and added again, a member would lose its place.
            return from.find(&from.pointer.tokens, &mut self.root, &mut self.work).map(drop);
        }
        let value = self.remove(from)?;
        self.add(path, value.trimmed())
    }

    fn copy_value(&mut self, from: Place<'a>, path: Place<'a>) -> Result<(), PatchError> {
        let source = from.find(&from.pointer.tokens, &mut self.root, &mut self.work)?;
        self.copied_bytes += source.bytes();
        if self.copied_bytes > self.limits.bytes_max {
            return Err(PatchError::CopiesTooLarge { operation: from.operation, max: self.limits.bytes_max });
        }
        let value = source.clone().trimmed();
        self.add(path, value)
    }

    fn test(&mut self, path: Place<'a>, expected: &str) -> Result<(), PatchError> {
        let found = path.find(&path.pointer.tokens, &mut self.root, &mut self.work)?;
        let same = match found {
            Node::Text(text) => equal(text, expected, &mut self.work)?,
            Node::Open(_) => {
                let bytes = found.bytes();
                self.work.spend(bytes)?;
                equal(&found.to_text(bytes), expected, &mut self.work)?
            }
        };
        if same {
            return Ok(());
        }
        Err(PatchError::TestFailed { operation: path.operation, pointer: path.pointer.shown() })
    }

    /// Checked at every addition: by copies into themselves a value could otherwise become deep enough to overflow the
    /// stack of whoever walks through it.
    fn check_nesting(&mut self, path: Place<'_>, value: &Node<'_>) -> Result<(), PatchError> {
        self.work.spend(value.bytes())?;
        let max = self.limits.depth_max;
        if path.pointer.tokens.len() + value.nesting() > max {
            return Err(PatchError::ResultTooDeep { operation: path.operation, max });
        }
        Ok(())
    }
}

const NO_MEMBER: &str = "the object has no member of this name";
const NOTHING_BELOW: &str = "something on the way is neither array nor object, so that nothing is below it";

impl<'a> Place<'a> {
    fn find<'n>(
        self,
        tokens: &'a [Token],
        root: &'n mut Node<'a>,
        work: &mut Work,
    ) -> Result<&'n mut Node<'a>, PatchError> {
        let mut node = root;
        for token in tokens {
            node = match self.items(node, work)? {
                Items::Object(object) => object.get(token.name(), work)?.ok_or_else(|| self.no_target(NO_MEMBER))?,
                Items::Array(elements) => match token.index {
                    Some(Index::At(index)) if index < elements.len() => &mut elements[index],
                    other => return Err(self.no_element(other)),
                },
            };
        }
        Ok(node)
    }

    fn open<'n>(
        self,
        tokens: &'a [Token],
        root: &'n mut Node<'a>,
        work: &mut Work,
    ) -> Result<&'n mut Items<'a>, PatchError> {
        let node = self.find(tokens, root, work)?;
        self.items(node, work)
    }

    fn items<'n>(self, node: &'n mut Node<'a>, work: &mut Work) -> Result<&'n mut Items<'a>, PatchError> {
        node.open(work)?.ok_or_else(|| self.no_target(NOTHING_BELOW))
    }

    fn no_element(self, index: Option<Index>) -> PatchError {
        self.no_target(match index {
            Some(Index::At(_)) => "the array ends before this index",
            Some(Index::End) => "'-' is the place behind the last element, where nothing is yet",
            None => "an array has indices (0, 1, 2 …, without leading zeros), not names",
        })
    }

    fn no_target(self, reason: &'static str) -> PatchError {
        PatchError::NoTarget { operation: self.operation, pointer: self.pointer.shown(), reason }
    }
}
