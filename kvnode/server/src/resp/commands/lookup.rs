//! From the words of a request to a command that can take them.

use super::hash;
use super::refusal::Refusal;
use super::table::{Name, Spec};
use crate::resp::request::Arguments;

/// The command that is meant, if there is one and the number of its arguments is right.
#[inline]
pub fn find(arguments: Arguments<'_>) -> Result<Name, Refusal<'_>> {
    let spec = find_any_arity(arguments)?.spec();
    if spec.takes(arguments.len()) { Ok(spec.name) } else { Err(Refusal::Arity(spec)) }
}

/// A container without a subcommand is meant itself.
pub(super) fn find_any_arity(arguments: Arguments<'_>) -> Result<Name, Refusal<'_>> {
    let Some(name) = arguments.get(0).and_then(hash::find) else { return Err(unknown(arguments)) };
    match arguments.get(1) {
        Some(given) if name.is_container() => {
            subcommand(name, given).ok_or(Refusal::UnknownSubcommand { container: name.spec(), given })
        }
        _ => Ok(name),
    }
}

/// As COMMAND INFO names commands: `get`, `client|id`.
pub fn find_by_full_name(name: &[u8]) -> Option<&'static Spec> {
    let mut parts = name.splitn(2, |&byte| byte == b'|');
    let container = parts.next().and_then(hash::find)?;
    match parts.next() {
        None => Some(container.spec()),
        Some(own) => subcommand(container, own).map(Name::spec),
    }
}

fn subcommand(container: Name, given: &[u8]) -> Option<Name> {
    let is_given = |spec: &&Spec| spec.parts().is_some_and(|(_, own)| given.eq_ignore_ascii_case(own.as_bytes()));
    container.subcommands().find(is_given).map(|spec| spec.name)
}

#[cold]
fn unknown(arguments: Arguments<'_>) -> Refusal<'_> {
    let name = arguments.get(0).unwrap_or_default();
    if name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:") {
        Refusal::ForeignProtocol
    } else {
        Refusal::Unknown(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    fn found(line: &str) -> Option<Name> {
        find(Sample::of(line).arguments()).ok()
    }

    #[test]
    fn commands_and_subcommands_are_found_in_any_case() {
        assert_eq!(found("gEt k"), Some(Name::Get));
        assert_eq!(found("CLIENT SETNAME x"), Some(Name::ClientSetname));
        assert_eq!(found("cluster CountKeysInSlot 7"), Some(Name::ClusterCountkeysinslot));
        assert_eq!(found("command"), Some(Name::Command));
        assert_eq!(found("command count"), Some(Name::CommandCount));
        assert_eq!(found("client|setname x"), None);
    }

    #[test]
    fn full_names_are_those_of_command_info() {
        for spec in Name::all() {
            assert_eq!(find_by_full_name(spec.text.as_bytes()).map(|spec| spec.name), Some(spec.name));
        }
        for name in ["", "|", "client|", "client|foo", "client|id|x", "get|", "get|x"] {
            assert!(find_by_full_name(name.as_bytes()).is_none(), "{name}");
        }
    }

    /// A web page can make a browser send its form to this port, with commands in it.
    #[test]
    fn a_browsers_request_is_not_a_command() {
        for line in ["POST / HTTP/1.1", "host: localhost:6379"] {
            assert!(matches!(find(Sample::of(line).arguments()), Err(Refusal::ForeignProtocol)), "{line}");
        }
    }
}
