//! The merge of `application/json`: members of the body replace or add members of the stored object, one level deep.

use super::PatchError;
use super::name::Name;
use super::scan::{Bracketed, Kind, kind, members, trimmed};
use super::tree::{Items, Node};
use super::work::Work;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shallow<'t> {
    body: &'t str,
    /// Nothing if the body is no object.
    members: Option<Vec<(Name<'t>, &'t str)>>,
}

impl<'t> Shallow<'t> {
    pub(super) fn parse(body: &'t str) -> Result<Self, PatchError> {
        if body == "null" {
            return Err(PatchError::NullBody);
        }
        let members = (kind(body) == Kind::Object).then(|| {
            let written = members(Bracketed::cut(body).body);
            written.map(|(name, value)| (name.trimmed(), trimmed(value))).collect()
        });
        Ok(Self { body, members })
    }

    pub(super) fn apply<'a>(&self, stored: Option<&'a str>, work: &mut Work) -> Result<Node<'a>, PatchError>
    where
        't: 'a,
    {
        let mut root = Node::of(stored);
        match (&self.members, root.open(work)?) {
            (Some(members), Some(Items::Object(object))) => {
                for (name, value) in members {
                    *object.entry(*name, work)? = Node::Text(value);
                }
                Ok(root)
            }
            _ => Ok(Node::Text(self.body)),
        }
    }
}
