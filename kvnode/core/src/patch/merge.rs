//! JSON Merge Patch, RFC 7396: objects are merged at every level, `null` removes a member, all else replaces.

use std::collections::BTreeMap;

use super::PatchError;
use super::name::Name;
use super::scan::{Bracketed, Kind, kind, members, trimmed};
use super::tree::Node;
use super::work::Work;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Merge<'t> {
    Replace(&'t str),
    /// No two with the same name: only the last of them is what the patch says.
    Members(Vec<(Name<'t>, Change<'t>)>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change<'t> {
    Remove,
    Merge(Merge<'t>),
}

impl<'t> Merge<'t> {
    /// Goes as deep as the patch nests, whose depth was checked.
    pub(super) fn parse(text: &'t str, work: &mut Work) -> Result<Self, PatchError> {
        if kind(text) != Kind::Object {
            return Ok(Self::Replace(trimmed(text)));
        }
        work.spend(text.len())?;
        let mut places = BTreeMap::new();
        let mut changes: Vec<(Name<'t>, Change<'t>)> = Vec::new();
        for (name, value) in members(Bracketed::cut(text).body) {
            work.spend(name.search_steps(places.len()))?;
            let change = match trimmed(value) {
                "null" => Change::Remove,
                value => Change::Merge(Self::parse(value, work)?),
            };
            let place = *places.entry(name).or_insert(changes.len());
            match changes.get_mut(place) {
                Some(earlier) => earlier.1 = change,
                None => changes.push((name.trimmed(), change)),
            }
        }
        Ok(Self::Members(changes))
    }

    pub(super) fn apply<'a>(&self, target: &mut Node<'a>, work: &mut Work) -> Result<(), PatchError>
    where
        't: 'a,
    {
        match self {
            Self::Replace(text) => *target = Node::Text(text),
            Self::Members(changes) => {
                let object = target.become_object(work)?;
                for (name, change) in changes {
                    match change {
                        Change::Remove => drop(object.remove(*name, work)?),
                        Change::Merge(merge) => merge.apply(object.entry(*name, work)?, work)?,
                    }
                }
            }
        }
        Ok(())
    }
}
