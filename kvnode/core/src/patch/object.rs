//! The members of an object that a patch has opened, in their order, found by name.

use std::collections::BTreeSet;

use super::PatchError;
use super::name::Name;
use super::scan::members;
use super::tree::Node;
use super::work::Work;

/// Up to so many look-ups it is cheaper to compare with one member after the other than to sort the names first.
const LOOKUPS_WITHOUT_INDEX: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Object<'t> {
    members: Vec<Member<'t>>,
    lookups: usize,
    /// Made when look-ups have become many.
    index: Option<Index<'t>>,
}

/// The members that are there, by name and then by place: of those with the same name the last one counts.
type Index<'t> = BTreeSet<(Name<'t>, usize)>;

#[derive(Clone, Debug)]
struct Member<'t> {
    name: Name<'t>,
    /// Nothing where a member was removed: closing the gap would move all members behind it, at each removal.
    value: Option<Node<'t>>,
}

impl<'t> Object<'t> {
    pub(super) fn split(body: &'t str) -> Self {
        let members = members(body).map(|(name, value)| Member { name, value: Some(Node::Text(value)) }).collect();
        Self { members, ..Self::default() }
    }

    pub(super) fn get(&mut self, name: Name<'t>, work: &mut Work) -> Result<Option<&mut Node<'t>>, PatchError> {
        let place = self.place(name, work)?;
        Ok(place.and_then(|place| self.members[place].value.as_mut()))
    }

    /// The value of the member with this name, which is added as `null` if there is none.
    pub(super) fn entry(&mut self, name: Name<'t>, work: &mut Work) -> Result<&mut Node<'t>, PatchError> {
        let place = self.place(name, work)?.unwrap_or_else(|| {
            let place = self.members.len();
            self.members.push(Member { name, value: None });
            if let Some(index) = &mut self.index {
                index.insert((name, place));
            }
            place
        });
        Ok(self.members[place].value.get_or_insert(Node::NULL))
    }

    /// Removes all members with this name and gives the value that counted.
    pub(super) fn remove(&mut self, name: Name<'t>, work: &mut Work) -> Result<Option<Node<'t>>, PatchError> {
        let Some(last) = self.place(name, work)? else { return Ok(None) };
        let counted = self.members[last].value.take();
        if let Some(index) = &mut self.index {
            index.remove(&(name, last));
            while let Some(place) = last_of(index, name) {
                index.remove(&(name, place));
                self.members[place].value = None;
            }
        } else {
            let shadowed = self.members[..last].iter_mut().filter(|member| member.name == name);
            shadowed.for_each(|member| member.value = None);
        }
        Ok(counted)
    }

    pub(super) fn present(&self) -> impl Iterator<Item = (Name<'t>, &Node<'t>)> {
        self.members.iter().filter_map(|member| Some((member.name, member.value.as_ref()?)))
    }

    /// Where the member stands that counts among those with this name.
    fn place(&mut self, name: Name<'t>, work: &mut Work) -> Result<Option<usize>, PatchError> {
        self.lookups += 1;
        if self.lookups <= LOOKUPS_WITHOUT_INDEX {
            work.spend(self.members.len())?;
            return Ok(self.members.iter().rposition(|member| member.value.is_some() && member.name == name));
        }
        let index = match &mut self.index {
            Some(index) => index,
            none => none.insert(sorted(&self.members, work)?),
        };
        work.spend(name.search_steps(index.len()))?;
        Ok(last_of(index, name))
    }
}

fn last_of<'t>(index: &Index<'t>, name: Name<'t>) -> Option<usize> {
    let (found, place) = index.range(..=(name, usize::MAX)).next_back()?;
    (*found == name).then_some(*place)
}

fn sorted<'t>(members: &[Member<'t>], work: &mut Work) -> Result<Index<'t>, PatchError> {
    work.spend(members.iter().map(|member| member.name.search_steps(members.len())).sum())?;
    let present = members.iter().enumerate().filter(|(_, member)| member.value.is_some());
    Ok(present.map(|(place, member)| (member.name, place)).collect())
}
