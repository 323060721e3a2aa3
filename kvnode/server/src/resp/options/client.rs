//! What follows `CLIENT SETNAME`, `SETINFO`, `REPLY`, `NO-EVICT`, `LIST` and `KILL`.

use super::{OptionError, is, number};
use crate::resp::request::Arguments;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyMode {
    On,
    Off,
    /// Off for the next command only.
    Skip,
}

/// A client library tells what it is (Redis 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute<'a> {
    LibraryName(&'a [u8]),
    LibraryVersion(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientType {
    Normal,
    Primary,
    Replica,
    Subscriber,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientList {
    All,
    Of(ClientType),
    /// Those of them that exist; ids that no client ever has, such as negative ones, are already left out.
    Ids(Vec<u64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKill<'a> {
    /// The old form: one client by its address, and an error when there is none.
    Address(&'a [u8]),
    /// All clients of which everything said is true; the answer is their number.
    Where(KillFilter<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillFilter<'a> {
    pub id: Option<u64>,
    pub address: Option<&'a [u8]>,
    pub local_address: Option<&'a [u8]>,
    pub kind: Option<ClientType>,
    pub user: Option<&'a [u8]>,
    pub spare_caller: bool,
}

/// A name is shown between others in CLIENT LIST, so it must look like one word. Empty takes the name away.
pub fn name(name: &[u8]) -> Result<&[u8], OptionError<'_>> {
    if is_word(name) { Ok(name) } else { Err(OptionError::ClientName) }
}

fn is_word(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b'!'..=b'~'))
}

pub fn attribute<'a>(name: &'a [u8], value: &'a [u8]) -> Result<Attribute<'a>, OptionError<'a>> {
    let (name, attribute) = if is(name, "LIB-NAME") {
        ("lib-name", Attribute::LibraryName(value))
    } else if is(name, "LIB-VER") {
        ("lib-ver", Attribute::LibraryVersion(value))
    } else {
        return Err(OptionError::UnknownClientAttribute(name));
    };
    if is_word(value) { Ok(attribute) } else { Err(OptionError::ClientAttribute(name)) }
}

pub fn reply_mode(word: &[u8]) -> Result<ReplyMode, OptionError<'_>> {
    [("ON", ReplyMode::On), ("OFF", ReplyMode::Off), ("SKIP", ReplyMode::Skip)]
        .into_iter()
        .find_map(|(name, mode)| is(word, name).then_some(mode))
        .ok_or(OptionError::Syntax)
}

/// ON or OFF, as `NO-EVICT` has it.
pub fn switch(word: &[u8]) -> Result<bool, OptionError<'_>> {
    either(word, "ON", "OFF")
}

fn either<'a>(word: &[u8], yes: &str, no: &str) -> Result<bool, OptionError<'a>> {
    match (is(word, yes), is(word, no)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(OptionError::Syntax),
    }
}

/// `following` is what follows `CLIENT LIST`.
pub fn list(following: Arguments<'_>) -> Result<ClientList, OptionError<'_>> {
    let Some(word) = following.get(0) else { return Ok(ClientList::All) };
    if is(word, "TYPE") && following.len() == 2 {
        return client_type(following.get(1).unwrap_or_default()).map(ClientList::Of);
    }
    if is(word, "ID") && following.len() >= 2 {
        let ids: Result<Vec<i64>, _> =
            following.from(1).iter().map(|id| number::parse(id).ok_or(OptionError::ClientId)).collect();
        return Ok(ClientList::Ids(ids?.into_iter().filter_map(|id| u64::try_from(id).ok()).collect()));
    }
    Err(OptionError::Syntax)
}

/// `following` is what follows `CLIENT KILL`.
pub fn kill(following: Arguments<'_>) -> Result<ClientKill<'_>, OptionError<'_>> {
    if following.len() == 1 {
        return Ok(ClientKill::Address(following.get(0).unwrap_or_default()));
    }
    let mut filter =
        KillFilter { id: None, address: None, local_address: None, kind: None, user: None, spare_caller: true };
    let mut words = following.iter();
    while let Some(word) = words.next() {
        let value = words.next().ok_or(OptionError::Syntax)?;
        if is(word, "ID") {
            let id = number::parse(value).and_then(|id| u64::try_from(id).ok()).filter(|&id| id > 0);
            filter.id = Some(id.ok_or(OptionError::ClientIdToKill)?);
        } else if is(word, "TYPE") {
            filter.kind = Some(client_type(value)?);
        } else if is(word, "ADDR") {
            filter.address = Some(value);
        } else if is(word, "LADDR") {
            filter.local_address = Some(value);
        } else if is(word, "USER") {
            filter.user = Some(value);
        } else if is(word, "SKIPME") {
            filter.spare_caller = either(value, "YES", "NO")?;
        } else {
            return Err(OptionError::Syntax);
        }
    }
    Ok(ClientKill::Where(filter))
}

fn client_type(word: &[u8]) -> Result<ClientType, OptionError<'_>> {
    const NAMES: [(&str, ClientType); 5] = [
        ("NORMAL", ClientType::Normal),
        ("MASTER", ClientType::Primary),
        ("REPLICA", ClientType::Replica),
        ("SLAVE", ClientType::Replica),
        ("PUBSUB", ClientType::Subscriber),
    ];
    NAMES.into_iter().find_map(|(name, kind)| is(word, name).then_some(kind)).ok_or(OptionError::ClientType(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::request::sample::Sample;

    /// Asked of redis-server 7.0.15.
    #[test]
    fn a_name_is_one_printable_word_or_nothing() {
        for good in ["", "web-1", "!~"] {
            assert_eq!(name(good.as_bytes()), Ok(good.as_bytes()));
        }
        for bad in ["a b", "a\n", "a\x7f", "é"] {
            assert_eq!(name(bad.as_bytes()), Err(OptionError::ClientName), "{bad:?}");
        }
    }

    #[test]
    fn a_library_tells_its_name_and_version() {
        assert_eq!(attribute(b"lib-name", b"redis-py"), Ok(Attribute::LibraryName(b"redis-py")));
        assert_eq!(attribute(b"LIB-VER", b"5.0"), Ok(Attribute::LibraryVersion(b"5.0")));
        assert_eq!(attribute(b"lib-ver", b"5 0"), Err(OptionError::ClientAttribute("lib-ver")));
        assert_eq!(attribute(b"colour", b"red"), Err(OptionError::UnknownClientAttribute(b"colour")));
    }

    #[test]
    fn switches_have_their_words_and_no_others() {
        assert_eq!(
            [reply_mode(b"on"), reply_mode(b"OFF"), reply_mode(b"Skip")],
            [Ok(ReplyMode::On), Ok(ReplyMode::Off), Ok(ReplyMode::Skip)]
        );
        assert_eq!(reply_mode(b"maybe"), Err(OptionError::Syntax));
        assert_eq!([switch(b"on"), switch(b"Off"), switch(b"yes")], [Ok(true), Ok(false), Err(OptionError::Syntax)]);
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn a_list_is_of_all_clients_of_one_type_or_of_some_ids() {
        let cases = [
            ("LIST", Ok(ClientList::All)),
            ("LIST type Normal", Ok(ClientList::Of(ClientType::Normal))),
            ("LIST type slave", Ok(ClientList::Of(ClientType::Replica))),
            ("LIST ID 7 -1 9", Ok(ClientList::Ids(vec![7, 9]))),
            ("LIST foo", Err(OptionError::Syntax)),
            ("LIST type", Err(OptionError::Syntax)),
            ("LIST type foo", Err(OptionError::ClientType(b"foo"))),
            ("LIST type normal id 1", Err(OptionError::Syntax)),
            ("LIST id", Err(OptionError::Syntax)),
            ("LIST id 1 abc", Err(OptionError::ClientId)),
        ];
        for (line, expected) in cases {
            assert_eq!(list(Sample::of(line).arguments().from(1)), expected, "{line}");
        }
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn clients_are_ended_by_address_or_by_all_that_is_true_of_them() {
        let nobody =
            KillFilter { id: None, address: None, local_address: None, kind: None, user: None, spare_caller: true };
        let cases = [
            ("KILL 1.2.3.4:5", Ok(ClientKill::Address(b"1.2.3.4:5"))),
            ("KILL id", Ok(ClientKill::Address(b"id"))),
            (
                "KILL id 8 id 9 addr 1:2 laddr 3:4 skipme no",
                Ok(ClientKill::Where(KillFilter {
                    id: Some(9),
                    address: Some(b"1:2"),
                    local_address: Some(b"3:4"),
                    spare_caller: false,
                    ..nobody
                })),
            ),
            (
                "KILL type pubsub user ann",
                Ok(ClientKill::Where(KillFilter { kind: Some(ClientType::Subscriber), user: Some(b"ann"), ..nobody })),
            ),
            ("KILL id 0", Err(OptionError::ClientIdToKill)),
            ("KILL id -1", Err(OptionError::ClientIdToKill)),
            ("KILL id abc", Err(OptionError::ClientIdToKill)),
            ("KILL type foo", Err(OptionError::ClientType(b"foo"))),
            ("KILL user default skipme foo", Err(OptionError::Syntax)),
            ("KILL foo bar", Err(OptionError::Syntax)),
            ("KILL id 1 foo", Err(OptionError::Syntax)),
        ];
        for (line, expected) in cases {
            assert_eq!(kill(Sample::of(line).arguments().from(1)), expected, "{line}");
        }
    }
}
