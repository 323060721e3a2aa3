//! What COMMAND and its subcommands answer, from the table alone. The tips and key specifications of Redis 7 are left
//! empty: clients route by the first, last and step, which say the same for every command here.

use super::lookup::{find_any_arity, find_by_full_name};
use super::properties::Categories;
use super::refusal::GetkeysRefusal;
use super::table::{Name, Spec};
use crate::resp::glob::Pattern;
use crate::resp::options::command_list::Filter;
use crate::resp::reply::Writer;
use crate::resp::request::Arguments;

/// No command's name is longer, its container's name included.
const NAME_BYTES_MAX: usize = 32;

fn top_level() -> impl Iterator<Item = &'static Spec> {
    Name::all().filter(|spec| spec.parts().is_none())
}

/// COMMAND COUNT
pub fn count() -> usize {
    top_level().count()
}

/// COMMAND, COMMAND INFO: the commands of these names, or all of them when none is named.
pub fn info(writer: &mut Writer, names: Arguments) {
    if names.is_empty() {
        writer.array(count());
        top_level().for_each(|spec| entry(writer, spec));
        return;
    }
    writer.array(names.len());
    for name in names.iter() {
        match find_by_full_name(name) {
            Some(spec) => entry(writer, spec),
            None => writer.null(),
        }
    }
}

fn entry(writer: &mut Writer, spec: &Spec) {
    writer.array(10);
    writer.bulk(spec.text.as_bytes());
    writer.integer(spec.arity.into());
    words(writer, spec.flags.words());
    writer.integer(spec.keys.first.into());
    writer.integer(spec.keys.last.into());
    writer.integer(spec.keys.step.into());
    words(writer, spec.categories.words());
    writer.set(0); // tips
    writer.set(0); // key specifications
    let subcommands = spec.name.subcommands();
    writer.array(subcommands.clone().count());
    subcommands.for_each(|spec| entry(writer, spec));
}

fn words(writer: &mut Writer, words: impl Iterator<Item = &'static str> + Clone) {
    writer.set(words.clone().count());
    words.for_each(|word| writer.simple(word));
}

/// COMMAND DOCS: the commands of these names, or all of them when none is named. Unknown ones are left out.
pub fn docs(writer: &mut Writer, names: Arguments) {
    let specs: Vec<_> =
        if names.is_empty() { top_level().collect() } else { names.iter().filter_map(find_by_full_name).collect() };
    writer.map(specs.len());
    for spec in specs {
        document(writer, spec);
    }
}

fn document(writer: &mut Writer, spec: &Spec) {
    let subcommands = spec.name.subcommands();
    let length = subcommands.clone().count();
    writer.bulk(spec.text.as_bytes());
    writer.map(if length == 0 { 3 } else { 4 });
    for text in ["summary", spec.summary, "since", spec.since, "group", spec.group] {
        writer.bulk(text.as_bytes());
    }
    if length > 0 {
        writer.bulk(b"subcommands");
        writer.map(length);
        subcommands.for_each(|spec| document(writer, spec));
    }
}

/// COMMAND LIST
pub fn names(writer: &mut Writer, filter: Filter) {
    let names: Vec<&str> = match filter {
        Filter::All => Name::all().map(|spec| spec.text).collect(),
        // No command comes from a module.
        Filter::Module(_) => Vec::new(),
        Filter::Category(name) => {
            let is_in = |categories: Categories| {
                categories.words().any(|word| word.trim_start_matches('@').as_bytes().eq_ignore_ascii_case(name))
            };
            Name::all().filter(|spec| is_in(spec.categories)).map(|spec| spec.text).collect()
        }
        Filter::Pattern(pattern) => {
            let pattern = Pattern::of_names(pattern, NAME_BYTES_MAX);
            Name::all().map(|spec| spec.text).filter(|name| pattern.matches(name.as_bytes())).collect()
        }
    };
    writer.array(names.len());
    for name in names {
        writer.bulk(name.as_bytes());
    }
}

/// COMMAND GETKEYS: the keys of the command that these words are.
pub fn keys_of(words: Arguments<'_>) -> Result<impl Iterator<Item = &[u8]>, GetkeysRefusal> {
    let spec = find_any_arity(words).map_err(|_| GetkeysRefusal::UnknownCommand)?.spec();
    if spec.keys.first == 0 {
        return Err(GetkeysRefusal::NoKeys);
    }
    if !spec.takes(words.len()) {
        return Err(GetkeysRefusal::Arity);
    }
    Ok(spec.keys.of(words))
}

/// CLIENT HELP and its like.
pub fn help(writer: &mut Writer, container: Name) {
    let container = container.spec();
    let subcommands = container.name.subcommands();
    writer.array(1 + 2 * subcommands.clone().count());
    writer.simple(&format!("{} <subcommand> [<argument> ...]. Subcommands are:", container.text.to_ascii_uppercase()));
    for spec in subcommands {
        let own = spec.parts().map_or(spec.text, |(_, own)| own);
        writer.simple(&own.to_ascii_uppercase());
        writer.simple(&format!("    {}", spec.summary));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::reply::Protocol;
    use crate::resp::request::sample::Sample;

    fn answer(protocol: Protocol, write: impl FnOnce(&mut Writer)) -> String {
        let mut out = Vec::new();
        write(&mut Writer::new(&mut out, protocol));
        String::from_utf8(out).expect("text").replace("\r\n", " ")
    }

    #[test]
    fn info_describes_the_named_commands_and_says_which_there_are_not() {
        let named = Sample::of("COMMAND INFO Get foo config|help");
        let rest = "*0 *0 *0 ";
        let expected = format!(
            "*3 *10 $3 get :2 *2 +readonly +fast :1 :1 :1 *3 +@read +@string +@fast {rest}$-1 \
             *10 $11 config|help :2 *2 +loading +stale :0 :0 :0 *1 +@slow {rest}"
        );
        assert_eq!(answer(Protocol::Resp2, |writer| info(writer, named.arguments().from(2))), expected);
        let expected = "*1 *10 $4 ping :-1 ~1 +fast :0 :0 :0 ~2 +@fast +@connection ~0 ~0 *0 ";
        let named = Sample::of("COMMAND INFO ping");
        assert_eq!(answer(Protocol::Resp3, |writer| info(writer, named.arguments().from(2))), expected);
    }

    /// redis-py refuses to send what COMMAND does not list.
    #[test]
    fn without_names_all_commands_are_described_with_what_is_below_them() {
        let nothing = Sample::of("COMMAND");
        let all = answer(Protocol::Resp2, |writer| info(writer, nothing.arguments().from(1)));
        assert!(all.starts_with(&format!("*{} *10 ", count())));
        assert_eq!(all.matches("*10 $").count(), Name::all().count());
        let docs = answer(Protocol::Resp3, |writer| docs(writer, nothing.arguments().from(1)));
        assert!(docs.starts_with(&format!("%{} ", count())));
        assert_eq!(docs.matches("$7 summary ").count(), Name::all().count());
    }

    #[test]
    fn docs_leave_out_what_there_is_not() {
        let named = Sample::of("COMMAND DOCS foo ping");
        let expected = "*2 $4 ping *6 $7 summary $8 Answers. $5 since $5 1.0.0 $5 group $10 connection ";
        assert_eq!(answer(Protocol::Resp2, |writer| docs(writer, named.arguments().from(2))), expected);
    }

    #[test]
    fn names_are_listed_by_category_and_pattern() {
        let listed = |filter| answer(Protocol::Resp2, |writer| names(writer, filter));
        let expected = "*5 $5 multi $4 exec $7 discard $5 watch $7 unwatch ";
        assert_eq!(listed(Filter::Category(b"Transaction")), expected);
        assert_eq!(listed(Filter::Category(b"@transaction")), "*0 ");
        assert_eq!(listed(Filter::Pattern(b"CLIENT|set*")), "*2 $14 client|setinfo $14 client|setname ");
        assert_eq!(listed(Filter::Module(b"search")), "*0 ");
        assert!(listed(Filter::All).starts_with(&format!("*{} ", Name::all().count())));
        assert!(Name::all().all(|spec| spec.text.len() <= NAME_BYTES_MAX));
    }

    /// Asked of redis-server 7.0.15.
    #[test]
    fn keys_are_found_among_the_words_of_a_command() {
        let keys = |line: &str| -> Result<Vec<String>, GetkeysRefusal> {
            let sample = Sample::of(line);
            let keys = keys_of(sample.arguments())?;
            Ok(keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect())
        };
        let cases: [(&str, Result<&[&str], GetkeysRefusal>); 15] = [
            ("get a", Ok(&["a"])),
            ("mset a 1 b 2", Ok(&["a", "b"])),
            ("mset a 1 b", Ok(&["a", "b"])),
            ("set k v ex", Ok(&["k"])),
            ("del a b c", Ok(&["a", "b", "c"])),
            ("rename a b", Ok(&["a", "b"])),
            ("watch a b", Ok(&["a", "b"])),
            ("foo a", Err(GetkeysRefusal::UnknownCommand)),
            ("client foo", Err(GetkeysRefusal::UnknownCommand)),
            ("client setname a", Err(GetkeysRefusal::NoKeys)),
            ("exec x", Err(GetkeysRefusal::NoKeys)),
            ("scan 0", Err(GetkeysRefusal::NoKeys)),
            ("get a b", Err(GetkeysRefusal::Arity)),
            ("mset a", Err(GetkeysRefusal::Arity)),
            ("rename a", Err(GetkeysRefusal::Arity)),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|keys| keys.iter().map(ToString::to_string).collect());
            assert_eq!(keys(line), expected, "{line}");
        }
    }

    #[test]
    fn help_names_every_subcommand() {
        let help = answer(Protocol::Resp2, |writer| help(writer, Name::Config));
        let expected = "*5 +CONFIG <subcommand> [<argument> ...]. Subcommands are: \
                        +GET +    Gives the settings whose names match. +HELP +    Lists the subcommands. ";
        assert_eq!(help, expected);
    }
}
