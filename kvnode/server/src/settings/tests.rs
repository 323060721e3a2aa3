//! C94: settings are typed and checked, and each wrong one is named in one sentence.

use std::collections::BTreeMap;
use std::io::Write;

use super::*;
use crate::accounts::rate::Rate;

const MACHINE: Machine = Machine { memory_bytes: Some(1000 << 20), cpu_cores: 1.0 };

fn resolve_with(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Request, SettingsError> {
    let variables: BTreeMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    let arguments = std::iter::once("kvnode").chain(arguments.iter().copied()).map(OsString::from);
    resolve(arguments, &|name| variables.get(name).cloned(), &MACHINE)
}

fn settings(arguments: &[&str], variables: &[(&str, &str)]) -> Settings {
    match resolve_with(arguments, variables).expect("good settings") {
        Request::Run(settings) => *settings,
        Request::Show(text) => panic!("shows {text}"),
    }
}

fn complaint(arguments: &[&str], variables: &[(&str, &str)]) -> String {
    resolve_with(arguments, variables).expect_err("bad settings").to_string()
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(content.as_bytes()).expect("room on the disk");
    file
}

/// K47, K48
#[test]
fn only_the_tenant_is_required_and_the_rest_has_its_documented_default() {
    let found = settings(&["--tenant", "dev"], &[]);
    assert_eq!(found.tenant.as_str(), "dev");
    assert_eq!((found.port, found.metrics_port), (3000, Some(9090)));
    assert_eq!((found.resp_port, found.resp_cluster_port, found.advertise), (Some(6379), Some(6380), None));
    assert_eq!(found.bind.to_string(), "0.0.0.0");
    assert_eq!(found.memory_limit, 800 << 20, "80 % of the machine");
    assert_eq!(found.tombstone_retention, Duration::from_hours(1));
    assert_eq!(found.live.now().limits, Limits::default());
    assert_eq!((found.live.now().log_level, found.metrics), (LogLevel::Info, true));
    assert_eq!(found.environment, Environment::Production);
    assert!(found.live.now().access.admin_key.is_none());
    assert_eq!(
        complaint(&[], &[]),
        "The tenant is missing; give --tenant NAME or the variable TENANT, for example kvnode --tenant dev."
    );
}

/// K48, C13, C94
#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_config_file() {
    let config = file("tenant: from-file\nport: 3003\nmetrics-port: 3004\nthreads: 3\nlimits: {maxTags: 7}\n");
    let path = config.path().to_str().expect("a plain path");
    let found = settings(&["--config", path, "--port", "3001"], &[("PORT", "3002"), ("THREADS", "2")]);
    assert_eq!(
        (found.tenant.as_str(), found.port, found.metrics_port, found.threads),
        ("from-file", 3001, Some(3004), 2)
    );
    assert_eq!(found.live.now().limits.tags_max, 7);
    let found = settings(&[], &[("CONFIG_FILE", path), ("PORT", "3002"), ("TENANT", "dev")]);
    assert_eq!((found.tenant.as_str(), found.port, found.threads), ("dev", 3002, 3));
}

/// C93
#[test]
fn a_metrics_port_of_zero_or_equal_to_the_port_means_no_second_listener() {
    for (port, metrics, expected) in [("8000", "8000", None), ("8000", "0", None), ("8000", "8001", Some(8001))] {
        let found = settings(&["--tenant", "dev"], &[("PORT", port), ("METRICS_PORT", metrics)]);
        assert_eq!(found.metrics_port, expected);
    }
}

/// C79, C123
#[test]
fn the_log_level_is_taken_in_any_case_and_debug_is_a_level_of_its_own() {
    let level = |arguments: &[&str], variables: &[(&str, &str)]| {
        settings(&[&["--tenant", "dev"], arguments].concat(), variables).live.now().log_level
    };
    for (text, expected) in [
        ("DEBUG", LogLevel::Debug),
        ("Info", LogLevel::Info),
        ("warning", LogLevel::Warning),
        ("ERROR", LogLevel::Error),
        ("Critical", LogLevel::Error),
    ] {
        assert_eq!(level(&["--log-level", text], &[]), expected);
        assert_eq!(level(&[], &[("LOG_LEVEL", text)]), expected);
    }
    assert_eq!(level(&[], &[("DEBUG", "true")]), LogLevel::Debug);
    assert_eq!(level(&[], &[("DEBUG", "true"), ("LOG_LEVEL", "error")]), LogLevel::Debug);
    assert_eq!(level(&["--log-level", "error"], &[("DEBUG", "true")]), LogLevel::Error);
}

/// C90, C91, C78, C92
#[test]
fn the_variables_of_the_seeds_are_honoured() {
    let variables = [
        ("TENANT", "dev"),
        ("MAX_KEY_SIZE", "100"),
        ("MAX_VALUE_SIZE", "1048576"),
        ("ENABLE_METRICS", "false"),
        ("ENVIRONMENT", "development"),
        ("TOMBSTONE_RETENTION", "30m"),
        ("MEMORY_LIMIT", "512Mi"),
    ];
    let found = settings(&[], &variables);
    let limits = found.live.now().limits.clone();
    assert_eq!((limits.key_bytes_max, limits.value_bytes_max), (100, 1 << 20));
    assert_eq!((found.metrics, found.environment), (false, Environment::Development));
    assert_eq!((found.tombstone_retention, found.memory_limit), (Duration::from_mins(30), 512 << 20));
}

#[test]
fn the_admin_key_comes_from_a_file_or_a_variable_and_the_nearer_layer_wins() {
    let key_file = file("from-file\n");
    let path = key_file.path().to_str().expect("a plain path");
    let key = |arguments: &[&str], variables: &[(&str, &str)]| {
        let found = settings(&[&["--tenant", "dev"], arguments].concat(), variables);
        found.live.now().access.admin_key.clone().expect("a key")
    };
    assert!(key(&["--admin-key-file", path], &[("ADMIN_KEY", "from-variable")]).is(b"from-file"));
    assert!(key(&[], &[("ADMIN_KEY_FILE", path)]).is(b"from-file"));
    assert!(key(&[], &[("ADMIN_KEY", "from-variable")]).is(b"from-variable"));
    let config = file(&format!("admin-key-file: {path}\n"));
    let config = config.path().to_str().expect("a plain path");
    assert!(key(&["--config", config], &[]).is(b"from-file"));
    assert!(key(&["--config", config], &[("ADMIN_KEY", "from-variable")]).is(b"from-variable"));
}

/// C2, C3, C15, C81, C82, C83
#[test]
fn who_may_use_the_node_comes_from_files_variables_and_the_config_file() {
    let access =
        |arguments: &[&str], variables: &[(&str, &str)]| settings(arguments, variables).live.now().access.clone();
    let plain = access(&["--tenant", "dev"], &[]);
    assert!(plain.anonymous && plain.registration && plain.token_keys.is_none() && plain.peer_tokens.is_empty());
    assert_eq!(plain.lifetimes.access, Duration::from_mins(30));
    assert_eq!(plain.lifetimes.refresh, Duration::from_hours(168));
    assert_eq!((plain.account_rate, plain.address_rate), (None, None));

    let keys = file("0123456789abcdef0123456789abcdef\nfedcba9876543210fedcba9876543210\n");
    let tokens = file("new\nold\n");
    let path = |file: &tempfile::NamedTempFile| file.path().to_str().expect("a plain path").to_owned();
    let config = file(
        "auth: {anonymous: false, registration: false, accessTokenTTL: 5m, refreshTokenTTL: 2h}\n\
         limits: {rateLimit: {accountPerSecond: 10, accountBurst: 50, addressPerSecond: 3}}\n",
    );
    let (keys, tokens, config) = (path(&keys), path(&tokens), path(&config));
    let flags = ["--tenant", "dev", "--config", &config, "--secret-file", &keys, "--peer-token-file", &tokens];
    let given = access(&flags, &[]);
    assert!(!given.anonymous && !given.registration && given.token_keys.is_some());
    assert_eq!((given.lifetimes.access, given.lifetimes.refresh), (Duration::from_mins(5), Duration::from_hours(2)));
    assert!(given.peer_tokens[0].is(b"new") && given.peer_tokens[1].is(b"old"));
    let shown = |rate: Option<Rate>| rate.map(|rate| (rate.per_second.get(), rate.burst.get()));
    assert_eq!((shown(given.account_rate), shown(given.address_rate)), (Some((10, 50)), Some((3, 3))));

    let variables = [
        ("SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("PEER_TOKEN", "token"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "60"),
        ("REFRESH_TOKEN_EXPIRE_DAYS", "30"),
    ];
    let given = access(&["--tenant", "dev", "--config", &config], &variables);
    assert!(given.token_keys.is_some() && given.peer_tokens[0].is(b"token"));
    let expected = (Duration::from_hours(1), Duration::from_hours(24 * 30));
    assert_eq!((given.lifetimes.access, given.lifetimes.refresh), expected);
}

/// Arguments, variables, and what the complaint must name.
type Case<'c> = (&'c [&'c str], &'c [(&'c str, &'c str)], &'c [&'c str]);

/// C94, K36
#[test]
fn each_wrong_setting_is_named_in_one_sentence() {
    let empty_key = file("\n");
    let empty_key = empty_key.path().to_str().expect("a plain path").to_owned();
    let short_key = file("0123456789abcdef0123456789abcde\n");
    let short_key = short_key.path().to_str().expect("a plain path").to_owned();
    let cases: &[Case<'_>] = &[
        (&["--tenant", "kv"], &[], &["--tenant", "'kv'", "reserved"]),
        (&["--tenant", "Dev"], &[], &["--tenant", "'Dev'"]),
        (&["--tenant", "dev", "--port", "70000"], &[], &["--port", "'70000'", "65535"]),
        (&["--tenant", "dev", "--port", "-1"], &[], &["--port", "'-1'"]),
        (&["--tenant", "dev"], &[("PORT", "http")], &["the variable PORT", "'http'"]),
        (&["--tenant", "dev", "--resp-port", "redis"], &[], &["--resp-port", "'redis'"]),
        (&["--tenant", "dev", "--advertise", "a:b/c"], &[], &["--advertise", "'a:b/c'"]),
        (&["--tenant", "dev", "--bind", "localhost"], &[], &["--bind", "'localhost'"]),
        (&["--tenant", "dev", "--threads", "0"], &[], &["--threads", "'0'"]),
        (&["--tenant", "dev", "--memory-limit", "lots"], &[], &["--memory-limit", "'lots'", "512Mi"]),
        (&["--tenant", "dev", "--memory-limit", "1"], &[], &["--memory-limit", "'1'", "1Mi"]),
        (&["--tenant", "dev", "--tombstone-retention", "soon"], &[], &["--tombstone-retention", "'soon'"]),
        (&["--tenant", "dev", "--log-level", "loud"], &[], &["--log-level", "'loud'"]),
        (&["--tenant", "dev", "--log-format", "xml"], &[], &["--log-format", "'xml'"]),
        (&["--tenant", "dev", "--name", "a b"], &[], &["--name", "'a b'"]),
        (&["--tenant", "dev"], &[("ENVIRONMENT", "test")], &["ENVIRONMENT", "'test'"]),
        (&["--tenant", "dev"], &[("DEBUG", "maybe")], &["DEBUG", "'maybe'"]),
        (&["--tenant", "dev"], &[("MAX_VALUE_SIZE", "1Ti")], &["MAX_VALUE_SIZE", "'1Ti'", "64Mi"]),
        (&["--tenant", "dev", "--admin-key-file", "/nowhere/key"], &[], &["admin key file", "/nowhere/key"]),
        (&["--tenant", "dev", "--admin-key-file", &empty_key], &[], &["admin key file", &empty_key]),
        (&["--tenant", "dev", "--peer-token-file", &empty_key], &[], &["peer token file", &empty_key]),
        (&["--tenant", "dev", "--secret-file", &short_key], &[], &["secret file", &short_key, "31 bytes", "32"]),
        (&["--tenant", "dev"], &[("SECRET_KEY", "short")], &["the variable SECRET_KEY", "5 bytes", "32"]),
        (&["--tenant", "dev"], &[("ACCESS_TOKEN_EXPIRE_MINUTES", "0")], &["ACCESS_TOKEN_EXPIRE_MINUTES", "'0'"]),
        (&["--tenant", "dev"], &[("REFRESH_TOKEN_EXPIRE_DAYS", "366")], &["REFRESH_TOKEN_EXPIRE_DAYS", "365"]),
        (&["--tenant", "dev", "--config", "/nowhere.yaml"], &[], &["config file", "/nowhere.yaml"]),
        (&["--tenant", "dev", "--peer-port", "7400"], &[], &["--peer-port"]),
        (&["--tenant", "dev", "extra"], &[], &["extra"]),
        (&["--tenant"], &[], &["--tenant"]),
        (&["--tenant", "dev", "--port", "1", "--port", "2"], &[], &["--port", "once"]),
    ];
    for (arguments, variables, expected) in cases {
        let sentence = complaint(arguments, variables);
        for part in *expected {
            assert!(sentence.contains(part), "{sentence:?} does not name {part:?}");
        }
        assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{sentence:?} is not one sentence");
    }
}

#[test]
fn a_config_file_with_an_unknown_key_or_a_wrong_shape_is_named() {
    for (content, part) in [
        ("tenant: dev\nprot: 3000\n", "'prot'"),
        ("tenant: dev\nlimits: {maxKeys: 3}\n", "'limits.maxKeys'"),
        ("tenant: [dev]\n", "'tenant'"),
        ("- tenant\n", "is not what is expected"),
        ("tenant: dev\n  port: :\n", "is not what is expected"),
        ("tenant: dev\nport: 99999\n", "'port' in"),
    ] {
        let config = file(content);
        let path = config.path().to_str().expect("a plain path");
        let sentence = complaint(&["--config", path], &[]);
        assert!(sentence.contains(part) && sentence.contains(path), "{sentence:?} for {content:?}");
        assert!(!sentence.contains('\n'), "{sentence:?}");
    }
}

#[test]
fn no_complaint_shows_a_secret() {
    for variable in ["ADMIN_KEY", "PEER_TOKEN", "SECRET_KEY"] {
        let sentence = complaint(&["--tenant", "dev"], &[(variable, "two words")]);
        assert!(sentence.contains(variable) && !sentence.contains("two words"), "{sentence:?}");
    }
}

#[test]
fn the_help_names_every_setting_its_default_and_an_example() {
    let Ok(Request::Show(help)) = resolve_with(&["--help"], &[]) else { panic!("no help") };
    for setting in catalogue::ALL {
        for name in
            [setting.flag, setting.variable, setting.file_key.filter(|key| key.contains('.'))].into_iter().flatten()
        {
            assert!(help.contains(name), "{name} is missing");
        }
    }
    assert!(help.contains("Example") && help.contains("[default: 3000]"), "{help}");
    let Ok(Request::Show(version)) = resolve_with(&["--version"], &[]) else { panic!("no version") };
    assert_eq!(version.trim(), concat!("kvnode ", env!("CARGO_PKG_VERSION")));
}

/// The rows of docs/operations.md: everything that can stand in the config file, as the catalogue has it.
fn documented_settings() -> String {
    let code = |name: &str| format!("`{name}`");
    let rows = catalogue::ALL.iter().map(|setting| {
        let keys = setting.file_key.map_or_else(String::new, code);
        let flag = setting.flag.map(|flag| code(&format!("--{flag}")));
        let names: Vec<String> = flag.into_iter().chain(setting.variable.map(code)).collect();
        let when = if setting.file_key.is_some_and(catalogue::is_live) { "at once" } else { "next start" };
        let (names, default, help) = (names.join(", "), setting.default, setting.help);
        format!("| {keys} | {names} | {default} | {when} | {help} |\n")
    });
    "| in the file | flag, variable | default | holds | what it is |\n|---|---|---|---|---|\n".to_owned()
        + &rows.collect::<String>()
}

/// WRITE=1 brings the page up to date.
#[test]
fn the_page_names_every_setting() {
    crate::documented::section("operations.md", "settings", "the_page_names_every_setting", &documented_settings());
}
