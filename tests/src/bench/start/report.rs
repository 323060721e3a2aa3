//! The figures as text.

use super::{Findings, VALUE_BYTES};
use crate::bench::page::{self, table};
use crate::bench::redis_benchmark::KEY_BYTES;

/// What is printed.
pub(super) fn tables(findings: &Findings<'_>) -> String {
    format!(
        "Seconds from the start to the first answer, with {} keys on the disk:\n\n{}",
        findings.keys,
        starts(findings)
    )
}

/// What is kept.
pub(super) fn page(findings: &Findings<'_>) -> String {
    let Findings { stores, rounds, keys, .. } = findings;
    format!(
        "# Start with keys on a disk: kvnode beside Valkey and Redis\n
Made by `make bench WORK=start WRITE=1`; do not edit. {keys} keys of {KEY_BYTES} bytes with values of {VALUE_BYTES} bytes: so many seconds
pass from the start of the program to the right answer for the key that was written last, as median (least–most) of
{rounds} starts.
{left_out}
{starts}
## How it was measured\n
- Each server is tied to one core. Its keys were written through Redis' protocol once, and the program ended by SIGTERM;
  no file was made smaller or tidied by hand.
- kvnode runs with `--persistence everysec`, its peers with `--appendonly yes --appendfsync everysec`.
- The files are in the kernel's memory when they are read: a slow disk takes longer, for all of them alike.\n
{machine}\n
## Commands\n
```sh\nmake bench WORK=start WRITE=1 ROUNDS={rounds} KEYS={keys}\n# which runs, each behind `taskset --cpu-list CORE`:\n{commands}```\n",
        left_out = page::left_out(&stores.left_out),
        starts = starts(findings),
        machine = page::machine(&findings.machine),
        commands = stores.commands_on_disk(),
    )
}

fn starts(findings: &Findings<'_>) -> String {
    let headings = ["server", "**seconds**", "MB on the disk"];
    let rows = findings.starts.iter().map(|start| {
        vec![start.store.to_string(), format!("**{:.2}**", start.seconds), (start.disk_bytes / 1_000_000).to_string()]
    });
    table(&headings.map(str::to_owned), rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::page::made_up_machine;
    use crate::bench::spread::Spread;
    use crate::bench::start::Start;
    use crate::bench::stores::{Store, Stores};

    #[test]
    fn a_page_has_every_servers_seconds_and_what_lies_on_the_disk() {
        let stores = Stores::made_up(&[Store::Redis], &["kvnode is left out: it is asleep."]);
        let seconds = Spread { median: 1.5, least: 1.0, most: 2.0 };
        let starts = vec![Start { store: Store::Redis, seconds, disk_bytes: 71_000_000 }];
        let page = page(&Findings { stores: &stores, machine: made_up_machine(), rounds: 3, keys: 9, starts });
        assert!(page.contains("| Redis | **1.50 (1.00–2.00)** | 71 |"), "{page}");
        assert!(page.contains("kvnode is left out: it is asleep.") && page.contains("--appendonly yes"), "{page}");
    }
}
