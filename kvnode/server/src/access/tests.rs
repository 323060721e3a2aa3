use kvnode_core::store::key::Namespace;

use super::*;
use crate::settings::live::LiveSettings;
use crate::settings::machine::Machine;
use crate::settings::secret::Secret;
use crate::settings::{Request, resolve};

const NOW: UnixMillis = UnixMillis::new(1_700_000_000_000);
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn settings() -> AccessSettings {
    plain().live.now().access.clone()
}

/// As `kvnode --tenant dev` has it.
fn plain() -> Settings {
    let machine = Machine { memory_bytes: Some(1 << 30), cpu_cores: 1.0 };
    let arguments = ["kvnode", "--tenant", "dev", "--name", "n0"].map(std::ffi::OsString::from);
    match resolve(arguments, &|_| None, &machine) {
        Ok(Request::Run(settings)) => *settings,
        other => panic!("no good settings: {other:?}"),
    }
}

fn access(settings: &AccessSettings) -> Access {
    let plain = plain();
    let live = LiveSettings { access: settings.clone(), ..LiveSettings::clone(&plain.live.now()) };
    plain.live.replace(live.into());
    Access::new(&plain).expect("threads")
}

fn secret(text: &str) -> Secret {
    Secret::new(text).expect("a good secret")
}

fn admin(settings: &AccessSettings, presented: Option<&str>, address: &str) -> Result<(), Denied> {
    let presented = presented.map_or(Presented::Nothing, Presented::Secret);
    access(settings).admin(presented, address.parse().expect("an address"))
}

/// K29
#[test]
fn without_a_master_key_only_the_own_machine_administers() {
    for (address, expected) in [
        ("127.0.0.1", Ok(())),
        ("127.1.2.3", Ok(())),
        ("::1", Ok(())),
        ("::ffff:127.0.0.1", Ok(())),
        ("10.0.0.1", Err(Denied::Elsewhere)),
        ("fe80::1", Err(Denied::Elsewhere)),
    ] {
        assert_eq!(admin(&settings(), Some("guess"), address), expected, "{address}");
    }
}

#[test]
fn with_a_master_key_the_key_is_needed_from_everywhere_and_enough_from_anywhere() {
    let settings = AccessSettings { admin_key: Some(secret("opensesame")), ..settings() };
    for address in ["127.0.0.1", "10.0.0.1"] {
        assert_eq!(admin(&settings, Some("opensesame"), address), Ok(()));
        for wrong in [None, Some("opensesam"), Some("")] {
            assert_eq!(admin(&settings, wrong, address), Err(Denied::NoAdmin), "{wrong:?}");
        }
    }
}

#[test]
fn each_peer_token_administers_from_anywhere_and_opens_no_data() {
    let peer_tokens = vec![secret("new-token"), secret("old-token")];
    let settings = AccessSettings { peer_tokens, ..settings() };
    for token in ["new-token", "old-token"] {
        assert_eq!(admin(&settings, Some(token), "10.0.0.1"), Ok(()));
        let store = store();
        let caller = access(&settings).caller(&store, Door::Data, Presented::Secret(token), HERE, NOW);
        assert_eq!(caller, Err(Denied::Unknown));
    }
    assert_eq!(admin(&settings, Some("other"), "10.0.0.1"), Err(Denied::Elsewhere));
}

fn store() -> SharedStore {
    let config = kvnode_core::store::StoreConfig {
        memory_limit: 1 << 20,
        tombstone_retention_ms: 1000,
        hash_seed: 7,
        limits: kvnode_core::store::limits::Limits::default(),
        eviction: kvnode_core::store::Eviction::None,
    };
    SharedStore::new(&config, None, None)
}

/// Contradictions 9 and 10
#[test]
fn strangers_are_let_in_where_the_tenant_wants_it_and_nowhere_else() {
    let caller = |anonymous, door, presented| {
        let access = access(&AccessSettings { anonymous, ..settings() });
        access.caller(&store(), door, presented, HERE, NOW)
    };
    assert_eq!(caller(true, Door::Data, Presented::Nothing), Ok(Caller::anonymous()));
    assert_eq!(caller(false, Door::Data, Presented::Nothing), Err(Denied::Nobody));
    assert_eq!(caller(true, Door::User, Presented::Nothing), Err(Denied::Nobody));
    for door in [Door::Data, Door::User] {
        assert_eq!(caller(true, door, Presented::Unclear), Err(Denied::BadAuthorization), "{door:?}");
        assert_eq!(caller(true, door, Presented::Secret("guess")), Err(Denied::Unknown), "{door:?}");
    }
}

#[test]
fn the_master_key_uses_the_tenants_own_data_without_bounds() {
    let settings = AccessSettings { admin_key: Some(secret("opensesame")), anonymous: false, ..settings() };
    let presented = Presented::Secret("opensesame");
    let caller = access(&settings).caller(&store(), Door::User, presented, HERE, NOW);
    let expected = Caller { namespace: Namespace::Shared, scope: Scope::ReadWriteDelete, who: Who::Master };
    assert_eq!(caller, Ok(expected));
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again() {
    let one = std::num::NonZeroU32::MIN;
    let rate = crate::accounts::rate::Rate { per_second: one, burst: one };
    let access = access(&AccessSettings { address_rate: Some(rate), ..settings() });
    let ask = |address| access.caller(&store(), Door::Data, Presented::Nothing, address, NOW);
    assert!(ask(HERE).is_ok());
    let refused = ask(HERE).expect_err("one too many");
    assert_eq!(refused.denial(), Denial::Later { seconds: 1 });
    assert!(ask([10, 0, 0, 1].into()).is_ok());
}
