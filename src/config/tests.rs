//! Promises of the configuration: a good one loads whole, a bad one says everything that is wrong at once.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;

use super::*;
use crate::model::ids::ConnectionId;

const TENANT: &str = "\
timezone: Asia/Shanghai
region: CN
ehr: data/acme/ehr.db
connections:
  feishu:
    plugin: feishu
    settings: { app_id: cli_x }
    secrets: { app_secret: env:APP_SECRET }
    grants: { hosts: [open.feishu.cn], private: [\"127.0.0.1:7001\"] }
";

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A folder with a good tenant, a plugin and mappings; `files` are written over it.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let good = [
        ("rollcall.yaml", ""),
        ("tenants/acme.yaml", TENANT),
        ("plugins/feishu.wasm", ""),
        ("mappings/a", ""),
    ];
    for (file, text) in good.iter().chain(files) {
        write(folder.path(), file, text);
    }
    folder
}

fn load_in(folder: &tempfile::TempDir) -> Result<Config, ConfigFaults> {
    let env = |name: &str| (name == "APP_SECRET").then(|| "s3cr3t".to_owned());
    load_with(&folder.path().join("rollcall.yaml"), &env)
}

/// What is wrong with a folder, every fault in full.
fn report(files: &[(&str, &str)]) -> String {
    let faults = load_in(&folder(files)).unwrap_err();
    show(&faults)
}

fn show(faults: &ConfigFaults) -> String {
    faults.faults().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn tenant_with(find: &str, replacement: &str) -> String {
    assert!(TENANT.contains(find));
    TENANT.replace(find, replacement)
}

#[test]
fn an_empty_main_file_means_the_defaults() {
    let folder = folder(&[]);
    let config = load_in(&folder).unwrap();
    assert_eq!(config.state, folder.path().join("state"));
    assert_eq!(config.cache, folder.path().join("state/cache"));
    assert!(config.listen.ip().is_loopback());
    assert_eq!(config.limits.call.get(), Duration::from_mins(1));
    let tenant = &config.tenants[&TenantId::parse("acme").unwrap()];
    assert_eq!(tenant.schedule, Schedule::default());
    assert_eq!(tenant.ehr, folder.path().join("data/acme/ehr.db"));
    assert_eq!(tenant.timezone.name(), "Asia/Shanghai");
    let connection = tenant.connections.values().next().unwrap();
    assert_eq!(connection.secrets["app_secret"].expose(), "s3cr3t");
    assert_eq!(connection.grants.private[0].port(), 7001);
    assert_eq!((connection.attendance.lookback_days, connection.attendance.backfill_days), (3, 30));
    assert_eq!(connection.events, Events::Callback);
}

#[test]
fn every_key_is_read() {
    let root = "state: s\nplugins: plugins\nmappings: mappings\ntenants: tenants\ncache: c\nlisten: '[::1]:1'\n\
        schedule: '0 2 * * *'\nlog: { format: json, level: debug }\n\
        limits: { call: 5s, memory: 32MiB, response: 1MiB, instances: 2 }\n";
    let tenant = TENANT.to_owned()
        + "    attendance: { lookback_days: 1, backfill_days: 2, since: 2026-01-31 }\n\
           \x20   events: long_connection\n\
           schedule: '5 * * * *'\nmappings: mappings\ngate: { retire_share: 2.5%, retire_count: 7 }\n";
    let config =
        load_in(&folder(&[("rollcall.yaml", root), ("tenants/acme.yaml", &tenant)])).unwrap();
    assert_eq!((config.log.format, config.log.level), (LogFormat::Json, LogLevel::Debug));
    assert_eq!((config.limits.memory.bytes(), config.limits.instances), (32 << 20, 2));
    let tenant = config.tenants.values().next().unwrap();
    assert_eq!(tenant.schedule.to_string(), "5 * * * *");
    assert_eq!((tenant.gate.retire_share.hundredths(), tenant.gate.retire_count), (250, 7));
    let attendance = tenant.connections.values().next().unwrap().attendance;
    assert_eq!(attendance.since.unwrap().to_string(), "2026-01-31");
    assert_eq!(tenant.connections.values().next().unwrap().events, Events::LongConnection);
}

#[test]
fn every_fault_of_every_file_is_in_one_report() {
    let root = "lisen: 127.0.0.1:1\nlimits: { call: 60, memroy: 1MiB, instances: 0 }\nlog: { level: loud }\n";
    let acme = tenant_with("Asia/Shanghai", "Asia/Shangai");
    let zeta = "timezone: UTC\nregion: cn\nconections: {}\nschedule: every day\n";
    let files =
        [("rollcall.yaml", root), ("tenants/acme.yaml", &acme), ("tenants/zeta.yaml", zeta)];
    assert_snapshot!(report(&files), @r"
    rollcall.yaml:1:1: there is no key `lisen` here; did you mean `listen`? [config::unknown_key]
      1 | lisen: 127.0.0.1:1
        | ^
    rollcall.yaml:2:17: `60` is no duration; write a number with ms, s, m, h or d, as in `60s` [config::value]
      2 | limits: { call: 60, memroy: 1MiB, instances: 0 }
        |                 ^
    rollcall.yaml:2:21: there is no key `memroy` here; did you mean `memory`? [config::unknown_key]
      2 | limits: { call: 60, memroy: 1MiB, instances: 0 }
        |                     ^
    rollcall.yaml:2:46: 0 instances are out of range; write 1 to 64 [config::value]
      2 | limits: { call: 60, memroy: 1MiB, instances: 0 }
        |                                              ^
    rollcall.yaml:3:15: `loud` is not known here; write one of: error, warn, info, debug, trace [config::value]
      3 | log: { level: loud }
        |               ^
    tenants/acme.yaml:1:11: `Asia/Shangai` is no time zone; did you mean `Asia/Shanghai`? [config::value]
      1 | timezone: Asia/Shangai
        |           ^
    tenants/zeta.yaml: the key `ehr` is missing; add it, as in `ehr: data/acme/ehr.db` [config::missing_key]
    tenants/zeta.yaml: the tenant has no connection; add one under `connections` [config::missing_key]
    tenants/zeta.yaml:2:9: `cn` is no region; write the two capital letters of ISO 3166, such as `CN` [config::value]
      2 | region: cn
        |         ^
    tenants/zeta.yaml:3:1: there is no key `conections` here; did you mean `connections`? [config::unknown_key]
      3 | conections: {}
        | ^
    tenants/zeta.yaml:4:11: `every day` is no cron schedule: Invalid pattern: Pattern must have 5 fields when seconds are disallowed; write minute, hour, day, month, weekday, as in `*/15 * * * *` [config::value]
      4 | schedule: every day
        |           ^
    ");
}

#[test]
fn the_report_names_the_file_and_counts() {
    let folder = folder(&[("rollcall.yaml", "a: 1\nb: 2\n")]);
    let text = load_in(&folder)
        .unwrap_err()
        .to_string()
        .replace(&folder.path().display().to_string(), "<folder>");
    assert_snapshot!(text.lines().next().unwrap(), @r"
    the configuration `<folder>/rollcall.yaml` has 2 faults; mend what is listed and try again
    ");
}

#[test]
fn malformed_yaml_shows_the_line() {
    let files = [("rollcall.yaml", "listen: 127.0.0.1:1\nlog: { level: info\nschedule: x\n")];
    assert_snapshot!(report(&files), @r"
    rollcall.yaml:3:9: this is no YAML: did not find expected ',' or '}' at line 3 column 9, while parsing a flow mapping at line 2 column 6; look at this line and the one before it: indent with spaces, write a space after each colon, put text that holds `: `, `#` or a quote in quotes [config::yaml]
      3 | schedule: x
        |         ^
    ");
    assert_snapshot!(report(&[("rollcall.yaml", "log:\n\tlevel: info\n")]), @r"
    rollcall.yaml:2:1: this is no YAML: found character that cannot start any token at line 2 column 1, while scanning for the next token; look at this line and the one before it: indent with spaces, write a space after each colon, put text that holds `: `, `#` or a quote in quotes [config::yaml]
      2 | 	level: info
        | ^
    ");
    assert_snapshot!(report(&[("rollcall.yaml", "log: !fancy { level: info }\n")]), @r"
    rollcall.yaml:1:6: this is no YAML: log: invalid type: enum, expected a plain YAML value; tags are not read at line 1 column 6; look at this line and the one before it: indent with spaces, write a space after each colon, put text that holds `: `, `#` or a quote in quotes [config::yaml]
      1 | log: !fancy { level: info }
        |      ^
    ");
    assert_snapshot!(report(&[("rollcall.yaml", "- a list\n")]), @r"
    rollcall.yaml:1:1: keys with values are expected here; write `key: value`, one a line, indented [config::value]
      1 | - a list
        | ^
    ");
}

#[test]
fn a_missing_main_file_says_how_to_get_one() {
    let empty = tempfile::tempdir().unwrap();
    assert_snapshot!(load_in(&empty).unwrap_err().faults()[0], @r"
    rollcall.yaml: there is no such file; run `rollcall init` to write one, or name another with `--config` [config::missing_file]
    ");
}

#[test]
fn missing_folders_are_named() {
    let empty = tempfile::tempdir().unwrap();
    write(empty.path(), "rollcall.yaml", "plugins: elsewhere\n");
    let faults = load_in(&empty).unwrap_err();
    assert_snapshot!(show(&faults), @r"
    rollcall.yaml: there is no folder `mappings`; create it, or name another as `mappings`; `rollcall init` writes all of them [config::missing_folder]
    rollcall.yaml: there is no folder `tenants`; create it, or name another as `tenants`; `rollcall init` writes all of them [config::missing_folder]
    rollcall.yaml:1:10: there is no folder `elsewhere`; create it, or name another as `plugins`; `rollcall init` writes all of them [config::missing_folder]
      1 | plugins: elsewhere
        |          ^
    ");
}

#[test]
fn a_folder_without_tenants_is_a_fault() {
    let folder = folder(&[]);
    std::fs::remove_file(folder.path().join("tenants/acme.yaml")).unwrap();
    assert_snapshot!(load_in(&folder).unwrap_err().faults()[0], @r"
    tenants: the folder holds no tenant; add a file such as `acme.yaml`, or run `rollcall init` [config::no_tenant]
    ");
}

#[test]
fn a_secret_that_resolves_to_nothing_names_the_reference_and_the_file() {
    let tenant = tenant_with("env:APP_SECRET", "env:OTHER, other: 'file:none'");
    assert_snapshot!(report(&[("tenants/acme.yaml", &tenant)]), @r"
    tenants/acme.yaml:8:28: `env:OTHER` resolves to nothing: no variable `OTHER` is set; set it where rollcall is started [config::secret]
      8 |     secrets: { app_secret: env:OTHER, other: 'file:none' }
        |                            ^
    tenants/acme.yaml:8:46: `file:none` resolves to nothing: No such file or directory (os error 2); create the file, or mend its permissions [config::secret]
      8 |     secrets: { app_secret: env:OTHER, other: 'file:none' }
        |                                              ^
    ");
}

#[test]
fn an_inline_secret_is_refused_and_never_shown() {
    let tenant = tenant_with("env:APP_SECRET", "hunter2");
    let text = report(&[("tenants/acme.yaml", &tenant)]);
    assert_snapshot!(text, @r"
    tenants/acme.yaml:8:28: a secret is never written here; put it in a variable or a file and write `env:NAME` or `file:PATH` [config::value]
      8 |     secrets: { app_secret: (hidden)
        |                            ^
    ");
    for written in ["hunter2", "[hunter2]", "{ a: hunter2 }", "\"hunter2\"", "|\n        hunter2"] {
        let block = format!("secrets:\n      app_secret: {written}\n    plugn: {{ x: hunter2 }}");
        let text = report(&[(
            "tenants/acme.yaml",
            &tenant_with("secrets: { app_secret: env:APP_SECRET }", &block),
        )]);
        assert!(!text.contains("hunter2"), "{text}");
    }
    for broken in [
        "secrets: { app_secret: hunter2",
        "secrets: hunter2",
        "app_secret: \"hunter2",
        "secrets:\n      a: |\n      hunter2",
    ] {
        let text = report(&[(
            "tenants/acme.yaml",
            &tenant_with("secrets: { app_secret: env:APP_SECRET }", broken),
        )]);
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_connection_needs_a_plugin_that_is_there() {
    assert_snapshot!(report(&[("tenants/acme.yaml", &tenant_with("plugin: feishu", "plugin: feishuu"))]), @r"
    tenants/acme.yaml:6:13: there is no plugin file `feishuu.wasm`; did you mean `feishu`? [config::unknown_plugin]
      6 |     plugin: feishuu
        |             ^
    ");
    assert_snapshot!(report(&[("tenants/acme.yaml", &tenant_with("    plugin: feishu\n", ""))]), @r"
    tenants/acme.yaml:5:3: connection `feishu` names no plugin; add `plugin: NAME`, the name of a file in `plugins` [config::missing_key]
      5 |   feishu:
        |   ^
    ");
    assert_snapshot!(report(&[("tenants/acme.yaml", &tenant_with("plugin: feishu", "plugin:"))]), @r"
    tenants/acme.yaml:6:12: connection `feishu` names no plugin; add `plugin: NAME`, the name of a file in `plugins` [config::missing_key]
      6 |     plugin:
        |            ^
    ");
}

#[test]
fn a_tenant_needs_a_connection_a_zone_and_an_ehr() {
    assert_snapshot!(report(&[("tenants/acme.yaml", "region: CN\n")]), @r"
    tenants/acme.yaml: the key `ehr` is missing; add it, as in `ehr: data/acme/ehr.db` [config::missing_key]
    tenants/acme.yaml: the key `timezone` is missing; add it, as in `timezone: Asia/Shanghai` [config::missing_key]
    tenants/acme.yaml: the tenant has no connection; add one under `connections` [config::missing_key]
    ");
}

#[test]
fn a_tenant_has_one_file() {
    assert_snapshot!(report(&[("tenants/acme.yml", TENANT)]), @r"
    tenants/acme.yml: `acme.yaml` is a file of the same tenant; remove one of the two [config::second_tenant]
    ");
}

#[test]
fn a_tenant_is_named_by_a_plain_file_name() {
    assert_snapshot!(report(&[("tenants/Big Corp.yaml", &tenant_with("data/acme", "data/big"))]), @r"
    tenants/Big Corp.yaml: a tenant is named as its file, and an id contains 'B'; use lower-case letters, digits, `-` and `_`, starting with a letter or digit; rename the file [config::tenant_name]
    ");
}

#[test]
fn two_tenants_never_share_an_ehr() {
    assert_snapshot!(report(&[("tenants/beta.yaml", TENANT)]), @r"
    tenants/beta.yaml:3:6: this is the EHR of tenant `acme` too; give each tenant a file of its own [config::shared_ehr]
      3 | ehr: data/acme/ehr.db
        |      ^
    ");
}

#[test]
fn a_key_that_stands_twice_is_a_fault() {
    assert_snapshot!(report(&[("tenants/acme.yaml", &(TENANT.to_owned() + "region: US\n"))]), @r"
    tenants/acme.yaml:10:1: the key `region` stands here a second time; remove one of the two [config::second_key]
      10 | region: US
         | ^
    ");
}

#[test]
fn bad_values_say_what_to_write() {
    let root = "listen: localhost\nschedule: '61 * * * *'\nlimits:\n  memory: 1.5\n  response: 1TiB\n  instances: many\n\
        log: yes please\nstate: [a]\n";
    assert_snapshot!(report(&[("rollcall.yaml", root)]), @r"
    rollcall.yaml:1:9: `localhost` is no address; write an address of this machine and a port, such as `127.0.0.1:7420` [config::value]
      1 | listen: localhost
        |         ^
    rollcall.yaml:2:11: `61 * * * *` is no cron schedule: Component error: Number out of bounds; write minute, hour, day, month, weekday, as in `*/15 * * * *` [config::value]
      2 | schedule: '61 * * * *'
        |           ^
    rollcall.yaml:4:11: this reads as a number with a point; put it in quotes [config::value]
      4 |   memory: 1.5
        |           ^
    rollcall.yaml:5:13: `1TiB` is no size; write a number with B, KiB, MiB or GiB, as in `64MiB` [config::value]
      5 |   response: 1TiB
        |             ^
    rollcall.yaml:6:14: found text; write a whole number [config::value]
      6 |   instances: many
        |              ^
    rollcall.yaml:7:6: keys with values are expected here; write `key: value`, one a line, indented [config::value]
      7 | log: yes please
        |      ^
    rollcall.yaml:8:8: found a list; write text [config::value]
      8 | state: [a]
        |        ^
    ");
    let tenant = tenant_with("open.feishu.cn", "https://open.feishu.cn, 5")
        .replace("127.0.0.1:7001", "127.0.0.1")
        .replace("cli_x", "1.50")
        .replace("  feishu:\n", "  Feishu:\n")
        + "    attendance: { lookback_days: 99, since: 31.1.2026 }\ngate: { retire_share: 10 }\nmappings: none\n";
    assert_snapshot!(report(&[("tenants/acme.yaml", &tenant)]), @r#"
    tenants/acme.yaml:5:3: connection `Feishu`: an id contains 'F'; use lower-case letters, digits, `-` and `_`, starting with a letter or digit [config::connection_name]
      5 |   Feishu:
        |   ^
    tenants/acme.yaml:7:25: this reads as a number with a point; put it in quotes [config::value]
      7 |     settings: { app_id: 1.50 }
        |                         ^
    tenants/acme.yaml:9:23: `https://open.feishu.cn` is no host; write its bare name in lower case, such as `open.feishu.cn`: no scheme, port, path or `*` [config::value]
      9 |     grants: { hosts: [https://open.feishu.cn, 5], private: ["127.0.0.1"] }
        |                       ^
    tenants/acme.yaml:9:61: `127.0.0.1` is no host with a port; write both, such as `127.0.0.1:7001` [config::value]
      9 |     grants: { hosts: [https://open.feishu.cn, 5], private: ["127.0.0.1"] }
        |                                                             ^
    tenants/acme.yaml:10:34: 99 days are out of range; write 0 to 31 [config::value]
      10 |     attendance: { lookback_days: 99, since: 31.1.2026 }
         |                                  ^
    tenants/acme.yaml:10:45: `31.1.2026` is no date; write year, month and day, as in `2026-01-31` [config::value]
      10 |     attendance: { lookback_days: 99, since: 31.1.2026 }
         |                                             ^
    tenants/acme.yaml:11:23: `10` is no share; write a number with %, as in `10%` [config::value]
      11 | gate: { retire_share: 10 }
         |                       ^
    tenants/acme.yaml:12:11: there is no folder `none`; create it, or remove the key [config::missing_folder]
      12 | mappings: none
         |           ^
    "#);
}

#[test]
fn the_caret_stands_under_its_column_in_chinese_text() {
    assert_snapshot!(report(&[("rollcall.yaml", "{state: 状态, 日志: 1}\n")]), @r"
    rollcall.yaml:1:13: there is no key `日志` here; known keys: state, plugins, mappings, tenants, cache, listen, schedule, archive, log, limits, callbacks, cases [config::unknown_key]
      1 | {state: 状态, 日志: 1}
        |         　　  ^
    ");
}

#[test]
fn a_file_that_is_no_text_or_too_large_is_refused() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("tenants/acme.yaml"), b"region: \xff\n").unwrap();
    std::fs::write(folder.path().join("tenants/big.yaml"), vec![b'#'; 2 << 20]).unwrap();
    let faults = load_in(&folder).unwrap_err();
    assert_snapshot!(show(&faults), @r"
    tenants/acme.yaml: the file is not UTF-8 text; save it as UTF-8 [config::encoding]
    tenants/big.yaml: the file has more than 1048576 bytes; is this the right file? [config::too_large]
    ");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = folder(&[]);
    std::fs::create_dir(folder.path().join("tenants/beta.yaml")).unwrap();
    let faults = load_in(&folder).unwrap_err();
    assert_eq!(
        (faults.faults()[0].code, faults.faults()[0].file.as_str()),
        ("config::unreadable", "tenants/beta.yaml")
    );
    assert!(faults.faults()[0].message.ends_with("mend its permissions"));
}

#[test]
fn a_file_of_nothing_but_faults_ends_the_report_early() {
    let text: Vec<_> = (0..500).map(|n| format!("key{n}: 1")).collect();
    let faults = load_in(&folder(&[("rollcall.yaml", &text.join("\n"))])).unwrap_err();
    assert!((100..110).contains(&faults.faults().len()));
}

#[test]
fn editor_droppings_are_no_tenants() {
    let files =
        [("tenants/.acme.yaml.swp", "x"), ("tenants/acme.yaml~", "x"), ("tenants/README.md", "x")];
    assert_eq!(load_in(&folder(&files)).unwrap().tenants.len(), 1);
}

#[test]
fn the_digest_changes_with_what_is_in_force_and_with_nothing_else() {
    let digest = |files: &[(&str, &str)]| load_in(&folder(files)).unwrap().digest;
    let plain = digest(&[]);
    assert_eq!(plain, digest(&[("rollcall.yaml", "# a comment\nstate: state\nlimits: {}\n")]));
    assert_ne!(plain, digest(&[("rollcall.yaml", "limits: { instances: 5 }")]));
    assert_ne!(plain, digest(&[("tenants/acme.yaml", &tenant_with("CN", "US"))]));
    assert_ne!(plain, digest(&[("tenants/b.yaml", &tenant_with("data/acme", "data/b"))]));
}

#[test]
fn secrets_are_read_again_with_each_load() {
    let folder = folder(&[
        ("secret", "one\n"),
        ("tenants/acme.yaml", &tenant_with("env:APP_SECRET", "file:secret")),
    ]);
    let secret = || {
        let config = load_in(&folder).unwrap();
        let tenant = config.tenants.values().next().unwrap().clone();
        tenant.connections.values().next().unwrap().secrets["app_secret"].expose().to_owned()
    };
    assert_eq!(secret(), "one");
    write(folder.path(), "secret", "two\n");
    assert_eq!(secret(), "two");
}

#[test]
fn everything_that_is_read_is_watched() {
    let tenant =
        tenant_with("env:APP_SECRET", "file:keys/secret") + "mappings: mappings/tenants/acme\n";
    let folder = folder(&[
        ("keys/secret", "x"),
        ("mappings/tenants/acme/a", ""),
        ("tenants/acme.yaml", &tenant),
    ]);
    let mut watched: Vec<_> = load_in(&folder)
        .unwrap()
        .watched
        .into_iter()
        .map(|w| {
            format!("{:?} {}", w.subject, w.path.strip_prefix(folder.path()).unwrap().display())
        })
        .collect();
    watched.sort();
    assert_snapshot!(watched.join("\n"), @r"
    Config keys/secret
    Config rollcall.yaml
    Config tenants
    Mappings mappings
    Mappings mappings/tenants/acme
    Plugins plugins
    ");
}

#[test]
fn a_setting_may_be_the_text_of_a_file_and_mappings_may_have_another_name() {
    let settings =
        "settings: { app_id: cli_x, spec: \"file:specs/people.yaml\" }\n    mapping: people";
    let tenant = tenant_with("settings: { app_id: cli_x }", settings);
    let files = [("tenants/acme.yaml", tenant.as_str()), ("specs/people.yaml", "listings: {}\n")];
    let folder = folder(&files);
    let config = load_in(&folder).unwrap();
    let tenant = &config.tenants[&TenantId::parse("acme").unwrap()];
    let connection = tenant.connections.values().next().unwrap();
    assert_eq!(connection.settings["spec"], "listings: {}\n");
    assert_eq!(connection.settings["app_id"], "cli_x");
    assert_eq!((connection.plugin.as_str(), connection.mapping.as_str()), ("feishu", "people"));
    let spec = folder.path().join("specs/people.yaml");
    assert!(config.watched.iter().any(|watched| watched.path == spec));
    let missing = report(&files[..1]);
    assert!(
        missing.contains("config::setting_file") && missing.contains("check its path"),
        "{missing}"
    );
    let large = "x".repeat((256 << 10) + 1);
    let told = report(&[files[0], ("specs/people.yaml", &large)]);
    assert!(told.contains("more than 262144 bytes"), "{told}");
}

const TWO: &str = "    attendance: {}\n  dingtalk:\n    plugin: feishu\n";

#[test]
fn matching_and_the_nightly_listing_are_read() {
    let tenant = TENANT.to_owned()
        + TWO
        + "full_listing: never\nmatching: { employee: [custom.id_number], authority: [dingtalk, feishu] }\n";
    let config = load_in(&folder(&[("tenants/acme.yaml", &tenant)])).unwrap();
    let tenant = config.tenants.values().next().unwrap();
    let matching = tenant.matching.as_ref().unwrap();
    assert_eq!(matching.key, "custom.id_number");
    let order: Vec<&str> = matching.authority.iter().map(ConnectionId::as_str).collect();
    assert_eq!(order, ["dingtalk", "feishu"]);
    assert_eq!(tenant.full_listing.to_string(), "never");
    let zone = &tenant.timezone;
    assert_eq!(tenant.full_listing.next(0, zone), None);
    assert!(Schedule::nightly().next(0, zone).is_some());
}

#[test]
fn what_people_cannot_be_matched_by_is_said_with_its_place() {
    let told = |matching: &str| {
        let tenant = format!("{TENANT}{TWO}matching:\n{matching}");
        report(&[("tenants/acme.yaml", &tenant)])
    };
    let field = told("  employee: [employe_number]\n  authority: [feishu, dingtalk]\n");
    assert!(field.contains("did you mean `employee_number`?"), "{field}");
    assert!(field.contains("config::matching_field") && field.contains(".yaml:"), "{field}");
    let two = told("  employee: [mobile, work_email]\n  authority: [feishu, dingtalk]\n");
    assert!(two.contains("2 fields are named; name the one that tells"), "{two}");
    let unknown = told("  employee: [mobile]\n  authority: [feishu, dingtak]\n");
    assert!(unknown.contains("no connection `dingtak`; did you mean `dingtalk`?"), "{unknown}");
    let twice = told("  employee: [mobile]\n  authority: [feishu, feishu]\n");
    assert!(twice.contains("connection `feishu` is named twice"), "{twice}");
    let one = told("  employee: [mobile]\n  authority: [feishu]\n");
    assert!(one.contains("fewer than two connections"), "{one}");
}
