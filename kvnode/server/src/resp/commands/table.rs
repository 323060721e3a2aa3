//! The commands. Arity, flags, positions and categories are facts of Redis 7.0 that clients rely on, so they are the
//! same here; what a command is for is said in our words. Subcommands stand right below what they belong to.

use super::properties::{Categories, Flags, KeyPositions};

/// What is known of a command.
#[derive(Debug)]
pub struct Spec {
    pub name: Name,
    /// In small letters, a subcommand behind its container: `client|id`.
    pub text: &'static str,
    /// How many arguments there are, the name among them; negative: at least so many.
    pub arity: i8,
    pub flags: Flags,
    pub keys: KeyPositions,
    pub categories: Categories,
    /// The version of Redis that had it first.
    pub since: &'static str,
    pub group: &'static str,
    pub summary: &'static str,
}

impl Spec {
    pub fn takes(&self, arguments: usize) -> bool {
        let least = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { arguments >= least } else { arguments == least }
    }

    /// The container and the subcommand's own name.
    pub fn parts(&self) -> Option<(&'static str, &'static str)> {
        self.text.split_once('|')
    }
}

impl Name {
    pub fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// All of them, in the table's order.
    pub fn all() -> impl Iterator<Item = &'static Spec> {
        SPECS.iter()
    }

    /// Whether it is there for its subcommands.
    pub fn is_container(self) -> bool {
        matches!(self, Self::Client | Self::Command | Self::Config | Self::Cluster)
    }

    pub fn subcommands(self) -> impl Iterator<Item = &'static Spec> + Clone {
        let container = self.spec().text;
        let own = move |spec: &&Spec| spec.parts().is_some_and(|(parent, _)| parent == container);
        SPECS.iter().skip(self as usize + 1).take_while(own)
    }
}

macro_rules! commands {
    ($($group:literal { $(
        $name:ident $text:literal $arity:literal [$($flag:ident)*] $keys:ident [$($category:ident)*] $since:literal
        $summary:literal
    )* })*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Name {
            $($(#[doc = $summary] $name,)*)*
        }

        pub(super) static SPECS: &[Spec] = &[$($({
            const FLAGS: Flags = Flags::NONE$(.and(Flags::$flag))*;
            Spec {
                name: Name::$name,
                text: $text,
                arity: $arity,
                flags: FLAGS,
                keys: KeyPositions::$keys,
                categories: Categories::implied_by(FLAGS)$(.and(Categories::$category))*,
                since: $since,
                group: $group,
                summary: $summary,
            }
        },)*)*];
    };
}

commands! {
"string" {
    Get "get" 2 [READONLY FAST] ONE [STRING] "1.0.0" "Gives the value of a key."
    Set "set" -3 [WRITE DENYOOM] ONE [STRING] "1.0.0" "Stores a value, on conditions and for a time if so asked."
    Setnx "setnx" 3 [WRITE DENYOOM FAST] ONE [STRING] "1.0.0" "Stores a value where there is none."
    Setex "setex" 4 [WRITE DENYOOM] ONE [STRING] "2.0.0" "Stores a value for some seconds."
    Psetex "psetex" 4 [WRITE DENYOOM] ONE [STRING] "2.6.0" "Stores a value for some milliseconds."
    Getset "getset" 3 [WRITE DENYOOM FAST] ONE [STRING] "1.0.0" "Stores a value and gives the one that was there."
    Getdel "getdel" 2 [WRITE FAST] ONE [STRING] "6.2.0" "Gives the value of a key and deletes it."
    Getex "getex" -2 [WRITE FAST] ONE [STRING] "6.2.0" "Gives the value of a key and changes when it ends."
    Mget "mget" -2 [READONLY FAST] ALL [STRING] "1.0.0" "Gives the values of several keys."
    Mset "mset" -3 [WRITE DENYOOM] PAIRS [STRING] "1.0.1" "Stores several values."
    Append "append" 3 [WRITE DENYOOM FAST] ONE [STRING] "2.0.0" "Adds to the end of a value."
    Strlen "strlen" 2 [READONLY FAST] ONE [STRING] "2.2.0" "Gives the length of a value in bytes."
    Incr "incr" 2 [WRITE DENYOOM FAST] ONE [STRING] "1.0.0" "Adds one to an integer."
    Incrby "incrby" 3 [WRITE DENYOOM FAST] ONE [STRING] "1.0.0" "Adds to an integer."
    Decr "decr" 2 [WRITE DENYOOM FAST] ONE [STRING] "1.0.0" "Takes one from an integer."
    Decrby "decrby" 3 [WRITE DENYOOM FAST] ONE [STRING] "1.0.0" "Takes from an integer."
    Incrbyfloat "incrbyfloat" 3 [WRITE DENYOOM FAST] ONE [STRING] "2.6.0" "Adds to a number that may have a fraction."
    Setrange "setrange" 4 [WRITE DENYOOM] ONE [STRING] "2.2.0" "Writes over a part of a value."
    Getrange "getrange" 4 [READONLY] ONE [STRING] "2.4.0" "Gives a part of a value."
    Substr "substr" 4 [READONLY] ONE [STRING] "1.0.0" "Gives a part of a value; the old name of GETRANGE."
}
"generic" {
    Del "del" -2 [WRITE] ALL [KEYSPACE] "1.0.0" "Deletes keys and says how many there were."
    Unlink "unlink" -2 [WRITE FAST] ALL [KEYSPACE] "4.0.0" "Deletes keys and says how many there were."
    Exists "exists" -2 [READONLY FAST] ALL [KEYSPACE] "1.0.0" "Says how many of the keys there are."
    Type "type" 2 [READONLY FAST] ONE [KEYSPACE] "1.0.0" "Says what kind of value a key has."
    Ttl "ttl" 2 [READONLY FAST] ONE [KEYSPACE] "1.0.0" "Says how many seconds a key has left."
    Pttl "pttl" 2 [READONLY FAST] ONE [KEYSPACE] "2.6.0" "Says how many milliseconds a key has left."
    Expire "expire" -3 [WRITE FAST] ONE [KEYSPACE] "1.0.0" "Lets a key end in some seconds."
    Pexpire "pexpire" -3 [WRITE FAST] ONE [KEYSPACE] "2.6.0" "Lets a key end in some milliseconds."
    Expireat "expireat" -3 [WRITE FAST] ONE [KEYSPACE] "1.2.0" "Lets a key end at a second since 1970."
    Pexpireat "pexpireat" -3 [WRITE FAST] ONE [KEYSPACE] "2.6.0" "Lets a key end at a millisecond since 1970."
    Persist "persist" 2 [WRITE FAST] ONE [KEYSPACE] "2.2.0" "Lets a key stay until it is deleted."
    Expiretime "expiretime" 2 [READONLY FAST] ONE [KEYSPACE] "7.0.0" "Says at which second since 1970 a key ends."
    Pexpiretime "pexpiretime" 2 [READONLY FAST] ONE [KEYSPACE]
        "7.0.0" "Says at which millisecond since 1970 a key ends."
    Rename "rename" 3 [WRITE] TWO [KEYSPACE] "1.0.0" "Gives a key another name, in place of what had that name."
    Renamenx "renamenx" 3 [WRITE FAST] TWO [KEYSPACE] "1.0.0" "Gives a key another name if nothing has it."
    Scan "scan" -2 [READONLY] NONE [KEYSPACE] "2.8.0" "Gives some keys and where to go on."
    Keys "keys" 2 [READONLY] NONE [KEYSPACE DANGEROUS] "1.0.0" "Gives all keys that match a pattern."
    Randomkey "randomkey" 1 [READONLY] NONE [KEYSPACE] "1.0.0" "Gives any one key."
    Touch "touch" -2 [READONLY FAST] ALL [KEYSPACE] "3.2.1" "Counts as a use of the keys and says how many there are."
}
"server" {
    Dbsize "dbsize" 1 [READONLY FAST] NONE [KEYSPACE] "1.0.0" "Says how many keys there are."
    Flushdb "flushdb" -1 [WRITE] NONE [KEYSPACE DANGEROUS] "1.0.0" "Deletes all keys."
    Flushall "flushall" -1 [WRITE] NONE [KEYSPACE DANGEROUS] "1.0.0" "Deletes all keys; there is one database."
    Time "time" 1 [LOADING STALE FAST] NONE [] "2.6.0" "Says what time it is."
    Info "info" -1 [LOADING STALE] NONE [DANGEROUS] "1.0.0" "Tells about the server."
    Config "config" -2 [] NONE [] "2.0.0" "Reads settings."
    ConfigGet "config|get" -3 [ADMIN NOSCRIPT LOADING STALE] NONE [] "2.0.0" "Gives the settings whose names match."
    ConfigHelp "config|help" 2 [LOADING STALE] NONE [] "5.0.0" "Lists the subcommands."
    Command "command" -1 [LOADING STALE] NONE [CONNECTION] "2.8.13" "Describes all commands."
    CommandCount "command|count" 2 [LOADING STALE] NONE [CONNECTION] "2.8.13" "Says how many commands there are."
    CommandDocs "command|docs" -2 [LOADING STALE] NONE [CONNECTION] "7.0.0" "Says what commands are for."
    CommandGetkeys "command|getkeys" -4 [LOADING STALE] NONE [CONNECTION]
        "2.8.13" "Says which words of a command are keys."
    CommandHelp "command|help" 2 [LOADING STALE] NONE [CONNECTION] "5.0.0" "Lists the subcommands."
    CommandInfo "command|info" -2 [LOADING STALE] NONE [CONNECTION] "2.8.13" "Describes some commands, or all."
    CommandList "command|list" -2 [LOADING STALE] NONE [CONNECTION] "7.0.0" "Lists the names of the commands."
}
"connection" {
    Hello "hello" -1 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] NONE [CONNECTION]
        "6.0.0" "Begins: protocol, user, name."
    Auth "auth" -2 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] NONE [CONNECTION] "1.0.0" "Says who the client is."
    Quit "quit" -1 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] NONE [CONNECTION] "1.0.0" "Closes the connection."
    Reset "reset" 1 [NOSCRIPT LOADING STALE FAST NO_AUTH ALLOW_BUSY] NONE [CONNECTION]
        "6.2.0" "Makes the connection as new."
    Ping "ping" -1 [FAST] NONE [CONNECTION] "1.0.0" "Answers."
    Echo "echo" 2 [LOADING STALE FAST] NONE [CONNECTION] "1.0.0" "Gives back what it is given."
    Select "select" 2 [LOADING STALE FAST] NONE [CONNECTION] "1.0.0" "Chooses the database; there is only 0."
    Client "client" -2 [] NONE [] "2.4.0" "Is about connections."
    ClientGetname "client|getname" 2 [NOSCRIPT LOADING STALE] NONE [CONNECTION] "2.6.9" "Gives the connection's name."
    ClientHelp "client|help" 2 [LOADING STALE] NONE [CONNECTION] "5.0.0" "Lists the subcommands."
    ClientId "client|id" 2 [NOSCRIPT LOADING STALE] NONE [CONNECTION] "5.0.0" "Gives the connection's number."
    ClientInfo "client|info" 2 [NOSCRIPT LOADING STALE] NONE [CONNECTION] "6.2.0" "Tells about the connection."
    ClientKill "client|kill" -3 [ADMIN NOSCRIPT LOADING STALE] NONE [CONNECTION] "2.4.0" "Closes connections."
    ClientList "client|list" -2 [ADMIN NOSCRIPT LOADING STALE] NONE [CONNECTION] "2.4.0" "Tells about connections."
    ClientNoEvict "client|no-evict" 3 [ADMIN NOSCRIPT LOADING STALE] NONE [CONNECTION]
        "7.0.0" "Keeps the connection when memory is short."
    ClientReply "client|reply" 3 [NOSCRIPT LOADING STALE] NONE [CONNECTION] "3.2.0" "Switches answers off and on."
    ClientSetinfo "client|setinfo" 4 [NOSCRIPT LOADING STALE] NONE [CONNECTION]
        "7.2.0" "Says which library the client uses."
    ClientSetname "client|setname" 3 [NOSCRIPT LOADING STALE] NONE [CONNECTION] "2.6.9" "Gives the connection a name."
}
"transactions" {
    Multi "multi" 1 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] NONE [TRANSACTION]
        "1.2.0" "Collects the following commands."
    Exec "exec" 1 [NOSCRIPT LOADING STALE SKIP_SLOWLOG] NONE [TRANSACTION] "1.2.0" "Does what was collected, as one."
    Discard "discard" 1 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] NONE [TRANSACTION]
        "2.0.0" "Forgets what was collected."
    Watch "watch" -2 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] ALL [TRANSACTION]
        "2.2.0" "Lets EXEC do nothing if keys change before."
    Unwatch "unwatch" 1 [NOSCRIPT LOADING STALE FAST ALLOW_BUSY] NONE [TRANSACTION] "2.2.0" "Forgets what was watched."
}
"cluster" {
    Cluster "cluster" -2 [] NONE [] "3.0.0" "Tells about the cluster."
    ClusterCountkeysinslot "cluster|countkeysinslot" 3 [STALE] NONE [] "3.0.0" "Says how many keys of a slot are here."
    ClusterGetkeysinslot "cluster|getkeysinslot" 4 [STALE] NONE [] "3.0.0" "Gives some keys of a slot that are here."
    ClusterHelp "cluster|help" 2 [LOADING STALE] NONE [] "5.0.0" "Lists the subcommands."
    ClusterInfo "cluster|info" 2 [STALE] NONE [] "3.0.0" "Says how the cluster is."
    ClusterKeyslot "cluster|keyslot" 3 [STALE] NONE [] "3.0.0" "Says which slot a key belongs to."
    ClusterMyid "cluster|myid" 2 [STALE] NONE [] "3.0.0" "Gives this node's name in the cluster."
    ClusterNodes "cluster|nodes" 2 [STALE] NONE [] "3.0.0" "Lists the nodes."
    ClusterShards "cluster|shards" 2 [STALE] NONE [] "7.0.0" "Lists the slots and the nodes that have them."
    ClusterSlots "cluster|slots" 2 [STALE] NONE [] "3.0.0" "Lists the slots and where to ask for them."
    Readonly "readonly" 1 [LOADING STALE FAST] NONE [CONNECTION]
        "3.0.0" "Lets replicas answer reads on this connection."
    Readwrite "readwrite" 1 [LOADING STALE FAST] NONE [CONNECTION] "3.0.0" "Undoes READONLY."
    Asking "asking" 1 [FAST] NONE [CONNECTION] "3.0.0" "Says that the next command was sent here by another node."
}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the page for users lists them.
    fn documented() -> String {
        let listed = Name::all().filter(|spec| !spec.name.is_container() || spec.name == Name::Command);
        let rows = listed.map(|spec| {
            let name = spec.text.replace('|', " ").to_uppercase();
            format!("| `{name}` | {} | {} |\n", spec.since, spec.summary)
        });
        "| command | since | what it does |\n|---|---|---|\n".to_owned() + &rows.collect::<String>()
    }

    /// WRITE=1 brings the page up to date.
    #[test]
    fn the_page_lists_every_command() {
        crate::documented::section("redis.md", "commands", "the_page_lists_every_command", &documented());
    }
}
