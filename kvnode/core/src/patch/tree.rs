//! A value while it is patched: text wherever nobody has looked into it, and opened arrays and objects on the way to
//! what changes. Opening alone changes no character of what will be written.

use super::PatchError;
use super::object::Object;
use super::scan::{Bracketed, Kind, elements, kind, nesting, trimmed};
use super::work::Work;

#[derive(Clone, Debug)]
pub(super) enum Node<'t> {
    /// With whatever white space stands around the value.
    Text(&'t str),
    /// Boxed, so that an array of a million numbers costs 16 bytes for each when it is opened.
    Open(Box<Container<'t>>),
}

#[derive(Clone, Debug)]
pub(super) struct Container<'t> {
    items: Items<'t>,
    /// White space before and behind the brackets, and before the closing one.
    before: &'t str,
    after: &'t str,
    tail: &'t str,
}

#[derive(Clone, Debug)]
pub(super) enum Items<'t> {
    Array(Vec<Node<'t>>),
    Object(Object<'t>),
}

impl<'t> Node<'t> {
    pub(super) const NULL: Self = Self::Text("null");

    /// An absent value is patched as `null` is: by both it is replaced.
    pub(super) fn of(stored: Option<&'t str>) -> Self {
        stored.map_or(Self::NULL, Self::Text)
    }

    /// What is in an array or object; nothing in any other value.
    pub(super) fn open(&mut self, work: &mut Work) -> Result<Option<&mut Items<'t>>, PatchError> {
        if let Self::Text(text) = *self {
            work.spend(text.len())?;
            let split: fn(&'t str) -> Items<'t> = match kind(text) {
                Kind::Array => |body| Items::Array(elements(body).map(Node::Text).collect()),
                Kind::Object => |body| Items::Object(Object::split(body)),
                Kind::String | Kind::Number | Kind::Word => return Ok(None),
            };
            let Bracketed { before, body, tail, after } = Bracketed::cut(text);
            *self = Self::Open(Box::new(Container { items: split(body), before, after, tail }));
        }
        Ok(match self {
            Self::Open(container) => Some(&mut container.items),
            Self::Text(_) => None,
        })
    }

    /// The members of an object; any other value is replaced by an object without members.
    pub(super) fn become_object(&mut self, work: &mut Work) -> Result<&mut Object<'t>, PatchError> {
        if !matches!(self.open(work)?, Some(Items::Object(_))) {
            let items = Items::Object(Object::default());
            *self = Self::Open(Box::new(Container { items, before: "", after: "", tail: "" }));
        }
        match self.open(work)? {
            Some(Items::Object(object)) => Ok(object),
            _ => unreachable!("it was one, or was replaced by one"),
        }
    }

    /// The value alone, for a place where the white space of its old place means nothing.
    pub(super) fn trimmed(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(trimmed(text)),
            Self::Open(container) => Self::Open(Box::new(Container { before: "", after: "", ..*container })),
        }
    }

    /// How many arrays and objects lie within each other, this one included.
    pub(super) fn nesting(&self) -> usize {
        match self {
            Self::Text(text) => nesting(text),
            Self::Open(container) => 1 + container.items.nesting(),
        }
    }

    /// The length of what will be written.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Open(container) => container.bytes(),
        }
    }

    /// `bytes` is what the method of this name has told, so that nothing is ever moved while writing.
    pub(super) fn to_text(&self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes);
        self.write(&mut text);
        debug_assert_eq!(text.len(), bytes, "what is measured is what is written");
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Open(container) => container.write(out),
        }
    }
}

impl Container<'_> {
    fn bytes(&self) -> usize {
        let brackets = 2;
        let (count, items) = match &self.items {
            Items::Array(elements) => (elements.len(), elements.iter().map(Node::bytes).sum::<usize>()),
            Items::Object(object) => object.present().fold((0, 0), |(count, bytes), (name, value)| {
                (count + 1, bytes + name.as_written().len() + value.bytes())
            }),
        };
        let commas = count.saturating_sub(1);
        self.before.len() + brackets + items + commas + self.tail.len() + self.after.len()
    }

    fn write(&self, out: &mut String) {
        let (opening, closing) = match self.items {
            Items::Array(_) => ('[', ']'),
            Items::Object(_) => ('{', '}'),
        };
        out.push_str(self.before);
        out.push(opening);
        match &self.items {
            Items::Array(elements) => write_all(elements.iter(), out, Node::write),
            Items::Object(object) => write_all(object.present(), out, |(name, value), out| {
                out.push_str(name.as_written());
                value.write(out);
            }),
        }
        out.push_str(self.tail);
        out.push(closing);
        out.push_str(self.after);
    }
}

impl Items<'_> {
    fn nesting(&self) -> usize {
        let deepest = match self {
            Self::Array(elements) => elements.iter().map(Node::nesting).max(),
            Self::Object(object) => object.present().map(|(_, value)| value.nesting()).max(),
        };
        deepest.unwrap_or(0)
    }
}

fn write_all<T>(items: impl Iterator<Item = T>, out: &mut String, write: impl Fn(T, &mut String)) {
    for (place, item) in items.enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an opened array of numbers costs, beside the two bytes of text that each of them has at least.
    #[test]
    fn a_node_is_no_larger_than_the_slice_of_text_that_most_nodes_are() {
        assert_eq!(size_of::<Node<'_>>(), size_of::<&str>());
    }
}
