//! The body of a request about accounts or keys: a JSON object of texts. What is wrong with it is said by the name of a
//! member and never by its content, which may be a password.

use std::collections::BTreeMap;

use serde_json::error::Category;
use serde_json::value::RawValue;

use super::problem::Problem;

pub(super) struct Members<'b> {
    members: BTreeMap<String, &'b RawValue>,
    shape: &'static str,
}

impl<'b> Members<'b> {
    /// `shape` shows what the body should look like.
    pub(super) fn parse(body: &'b [u8], shape: &'static str) -> Result<Self, Problem> {
        let members = serde_json::from_slice(body).map_err(|error| match error.classify() {
            Category::Data => Problem::unfit("BadBody", format!("The body must be the JSON object {shape}.")),
            _ => Problem::malformed("BadBody", format!("The body must be {shape}, but is no JSON: {error}.")),
        })?;
        Ok(Self { members, shape })
    }

    /// None when it is left out.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        let Some(raw) = self.members.remove(name) else { return Ok(None) };
        let text = serde_json::from_str(raw.get());
        text.map(Some).map_err(|_| Problem::unfit("BadBody", format!("The member '{name}' must be a text.")))
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<String, Problem> {
        let shape = self.shape;
        let missing = || Problem::unfit("BadBody", format!("The member '{name}' is missing; send {shape}."));
        self.text(name)?.ok_or_else(missing)
    }

    /// A member that nobody asked for is refused: a misspelt `email` would otherwise be a change that is not made.
    pub(super) fn end(self) -> Result<(), Problem> {
        match self.members.into_keys().next() {
            None => Ok(()),
            Some(name) => {
                let sentence = format!("The member '{}' is not known here; send {}.", shown(&name), self.shape);
                Err(Problem::unfit("BadBody", sentence))
            }
        }
    }
}

/// The beginning of a name a client made up.
fn shown(name: &str) -> String {
    const SHOWN_MAX: usize = 40;
    name.chars().take(SHOWN_MAX).collect()
}
