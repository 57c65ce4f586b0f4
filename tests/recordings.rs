//! Recordings of connectors: made of a real run over HTTP, free of people and credentials, repeated offline to the letter.
//!
//! `cargo test --test recordings -- --ignored` makes the files in `recordings/` anew, after the simulator has changed.
#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rollcall::host::{
    Build, Connection, ConnectionSpec, Grant, Limits, OsRandom, Plugin, PluginHost, RecordError,
    Recorded, Recorder, RetryLimits, Secret, SecretSource, replay,
};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, SourceId, TenantId};
use rollcall::model::record::{Page, Record, Window};
use rollcall::port::clock::Clock;
use rollcall::port::provider::Provider;
use serde_json::Value;
use simulator::{
    Builder, Endpoint, Fault, FaultRule, Platform, Simulator, dingtalk, feishu, wecom,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The secrets of the simulated WeCom's contacts sync.
const CONTACTS_SECRET: &str = "simulator-contacts-0001";

/// A clock that stands at the simulator's time, in milliseconds: attendance of another time would be too old to be asked for.
struct Still(i64);

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

/// Secrets by name.
struct Secrets(BTreeMap<&'static str, String>);

impl SecretSource for Secrets {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.0.get(name).cloned().map(Secret::new)
    }
}

/// The committed connector.
fn connector(platform: Platform) -> Arc<Plugin> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("plugins/{}.wasm", platform.name()));
    PluginHost::new(None).unwrap().load(&file).unwrap()
}

fn feishu() -> Arc<Plugin> {
    connector(Platform::Feishu)
}

/// The settings and secrets of the simulated app, as its platform's connector names them.
fn app(simulator: &Simulator) -> (Vec<(&'static str, String)>, Secrets) {
    let (url, id) = (simulator.url(), simulator.app_id().to_owned());
    let secret = simulator.app_secret().to_owned();
    let (settings, secrets) = match simulator.platform() {
        Platform::Feishu => {
            (vec![("app_id", id), ("open_host", url)], vec![("app_secret", secret)])
        }
        Platform::DingTalk => (
            vec![
                ("client_id", id),
                ("api_host", url.clone()),
                ("oapi_host", url),
                ("agent_id", "2345678901".to_owned()),
            ],
            vec![("client_secret", secret)],
        ),
        Platform::WeCom => (
            vec![("corp_id", id), ("api_host", url), ("agent_id", "1000002".to_owned())],
            vec![("app_secret", secret), ("contacts_secret", CONTACTS_SECRET.to_owned())],
        ),
    };
    (settings, Secrets(secrets.into_iter().collect()))
}

fn spec(simulator: &Simulator, plugin: &Arc<Plugin>) -> ConnectionSpec {
    let url = simulator.url();
    let (settings, secrets) = app(simulator);
    ConnectionSpec {
        plugin: Arc::clone(plugin),
        tenant: TenantId::parse("acme").unwrap(),
        connection: ConnectionId::parse(simulator.platform().name()).unwrap(),
        settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        secrets: Arc::new(secrets),
        grants: vec![Grant::parse(url.trim_start_matches("http://")).unwrap()],
        limits: Limits {
            retry: RetryLimits { first: Duration::from_millis(1), ..Limits::STANDARD.retry },
            ..Limits::STANDARD
        },
        clock: Arc::new(Still(simulator.now() * 1000)),
        random: Arc::new(OsRandom),
    }
}

fn company(people: u32) -> Builder {
    company_on(Platform::Feishu, people)
}

/// One whose app is told everything of people, as far as it depends on the app's age.
fn company_on(platform: Platform, people: u32) -> Builder {
    Simulator::builder().platform(platform).older_app().people(people).seed(11).days(3)
}

/// What a run met, as it really was.
#[derive(Default)]
struct Met {
    records: Vec<Record>,
    people: Vec<SourceId>,
    faults: usize,
}

/// Reads everything there is, several departments at once.
async fn read_all(provider: &Connection, simulator: &Simulator) -> Met {
    let mut met = Met::default();
    provider.capabilities().await.unwrap();
    assert!(provider.probe().await.unwrap().iter().all(|finding| finding.passed));
    let departments = listing(provider, Entity::Department, None, &mut met).await;
    let mut within = vec![None];
    within.extend(departments.into_iter().map(Some));
    for group in within.chunks(4) {
        let walks = group.iter().map(|department| async move {
            let mut met = Met::default();
            let people = listing(provider, Entity::Employee, department.as_ref(), &mut met).await;
            (people, met)
        });
        for (people, walked) in futures_util::future::join_all(walks).await {
            met.people.extend(people);
            met.records.extend(walked.records);
            met.faults += walked.faults;
        }
    }
    let window = Window { start: simulator.now() - 2 * 86_400, end: simulator.now() };
    for entity in [Entity::CheckIn, Entity::AttendanceDay] {
        for people in met.people.chunks(50) {
            let page = provider.list_attendance(entity, people, window, None).await.unwrap();
            met.records.extend(page.records);
        }
    }
    let some = &met.people[..met.people.len().min(20)];
    met.records.extend(provider.fetch(Entity::Employee, some).await.unwrap());
    met
}

async fn listing(
    provider: &Connection,
    entity: Entity,
    within: Option<&SourceId>,
    met: &mut Met,
) -> Vec<SourceId> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = provider.list(entity, within, cursor.as_ref()).await;
        let Ok(Page { records, next, .. }) = page else {
            met.faults += 1;
            return ids;
        };
        ids.extend(records.iter().map(|record| record.id.clone()));
        met.records.extend(records);
        cursor = next;
        if cursor.is_none() {
            return ids;
        }
    }
}

/// Records a whole run into `file`.
async fn record(simulator: &Simulator, file: &Path) -> (Recorded, Met) {
    let recorder = Arc::new(Recorder::create(file, &OsRandom).unwrap());
    let plugin = connector(simulator.platform());
    let connection = Connection::recorded(spec(simulator, &plugin), &recorder).unwrap();
    let met = read_all(&connection, simulator).await;
    (recorder.finish().unwrap(), met)
}

fn text(file: &Path) -> String {
    String::from_utf8(zstd::decode_all(std::fs::File::open(file).unwrap()).unwrap()).unwrap()
}

/// What a recording says of the calls that it does not hold.
fn left_out(file: &Path) -> Vec<String> {
    text(file).lines().filter(|line| line.starts_with("{\"left_out\"")).map(String::from).collect()
}

/// The recording with one line changed, under another name.
fn altered(file: &Path, change: impl Fn(usize, &str) -> String) -> PathBuf {
    let lines: Vec<_> =
        text(file).lines().enumerate().map(|(at, line)| change(at, line) + "\n").collect();
    let other = file.with_extension("altered");
    std::fs::write(&other, zstd::encode_all(lines.concat().as_bytes(), 1).unwrap()).unwrap();
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_run_goes_the_same_way_offline() {
    for platform in Platform::ALL {
        let simulator = company_on(platform, 60).start("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.jsonl.zst");
        let (recorded, met) = record(&simulator, &file).await;
        simulator.shutdown().await;
        assert_eq!(left_out(&file), Vec::<String>::new(), "{platform}");
        assert!(met.records.len() > 200 && recorded.calls > 20, "{platform}: {recorded:?}");
        let replayed = replay(&connector(platform), &file, Build::Same).await.unwrap();
        assert_eq!(replayed.differs, None, "{platform}");
        assert_eq!((replayed.calls, replayed.effects), (recorded.calls, recorded.effects));
        assert_eq!(replayed.records, met.records.len() as u64, "{platform}: every record again");
        assert!(!folder.path().join("run.jsonl.zst.part").exists());
    }
}

/// Lets the platform be busy, fail and break off where people and departments are read, once it was probed.
fn roughen(simulator: &Simulator) -> impl FnOnce(&Simulator) {
    let (people, departments): (Endpoint, Endpoint) = match simulator.platform() {
        Platform::Feishu => {
            (feishu::Endpoint::UsersByDepartment.into(), feishu::Endpoint::Children.into())
        }
        Platform::DingTalk => {
            (dingtalk::Endpoint::User.into(), dingtalk::Endpoint::Children.into())
        }
        Platform::WeCom => (wecom::Endpoint::Users.into(), wecom::Endpoint::DepartmentIds.into()),
    };
    if asks_for_short_waits(simulator.platform()) {
        simulator.inject(FaultRule::times(Fault::RateLimited, 2).on(people).after(6));
    }
    simulator.inject(FaultRule::times(Fault::ServerError, 2).on(people).after(9));
    simulator.inject(FaultRule::times(Fault::Reset, 1).on(departments).after(1));
    move |simulator| {
        let requests = simulator.requests();
        let (people, departments) = (requests.of(people), requests.of(departments));
        assert!(people > 11 && departments > 1, "all were struck: {people}, {departments}");
    }
}

/// WeCom refuses for a whole minute, which no test waits for.
fn asks_for_short_waits(platform: Platform) -> bool {
    platform != Platform::WeCom
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_met_a_busy_failing_platform_is_repeated_with_its_failures() {
    for platform in Platform::ALL {
        let simulator = company_on(platform, 40).start("127.0.0.1:0").await.unwrap();
        let struck = roughen(&simulator);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.jsonl.zst");
        let (recorded, _) = record(&simulator, &file).await;
        struck(&simulator);
        simulator.shutdown().await;
        assert_eq!(left_out(&file), Vec::<String>::new(), "{platform}");
        let told = text(&file);
        let busy = asks_for_short_waits(platform).then_some("rate-limited: ");
        for fault in busy.into_iter().chain(["unavailable: "]) {
            assert!(told.contains(&format!("\"fault\":\"{fault}")), "{platform}: {fault}");
        }
        let replayed = replay(&connector(platform), &file, Build::Same).await.unwrap();
        assert_eq!((replayed.differs, replayed.calls), (None, recorded.calls), "{platform}");
    }
}

/// Every text and every long number below a field, with the field's name.
fn leaves(name: &str, value: &Value, out: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| leaves(name, value, out)),
        Value::Array(items) => items.iter().for_each(|item| leaves(name, item, out)),
        Value::String(text) => {
            out.entry(name.to_owned()).or_default().insert(text.clone());
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// The tokens of the simulated app. Who asks again while they hold is given the same.
async fn tokens(simulator: &Simulator) -> Vec<String> {
    let (id, secret) = (simulator.app_id(), simulator.app_secret());
    let wecom = |secret: &str| {
        (format!("GET /cgi-bin/gettoken?corpid={id}&corpsecret={secret}"), String::new())
    };
    let (calls, field) = match simulator.platform() {
        Platform::Feishu => {
            let call = "POST /open-apis/auth/v3/tenant_access_token/internal".to_owned();
            let body = format!(r#"{{"app_id":"{id}","app_secret":"{secret}"}}"#);
            (vec![(call, body)], "tenant_access_token")
        }
        Platform::DingTalk => {
            let body = format!(r#"{{"appKey":"{id}","appSecret":"{secret}"}}"#);
            (vec![("POST /v1.0/oauth2/accessToken".to_owned(), body)], "accessToken")
        }
        Platform::WeCom => (vec![wecom(secret), wecom(CONTACTS_SECRET)], "access_token"),
    };
    let mut tokens = Vec::new();
    for (call, body) in calls {
        tokens.push(answer(simulator, &call, &body).await[field].as_str().unwrap().to_owned());
    }
    tokens
}

/// The JSON that the simulator answers to a call.
async fn answer(simulator: &Simulator, call: &str, body: &str) -> Value {
    let address = simulator.url();
    let address = address.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{call} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(&answer[answer.find('{').unwrap()..=answer.rfind('}').unwrap()]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_person_and_no_credential_is_in_a_recording() {
    for platform in Platform::ALL {
        let simulator = company_on(platform, 80).start("127.0.0.1:0").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.jsonl.zst");
        let mut credentials = tokens(&simulator).await;
        let (_, met) = record(&simulator, &file).await;
        assert_eq!(tokens(&simulator).await, credentials, "those of the run");
        let told = text(&file);
        credentials.push(simulator.app_id().to_owned());
        let (_, Secrets(secrets)) = app(&simulator);
        for name in secrets.keys() {
            assert!(told.contains(&format!("{{secret:{name}}}")), "requests hold the name {name}");
        }
        credentials.extend(secrets.into_values());
        simulator.shutdown().await;
        for credential in credentials {
            assert!(credential.len() > 5 && !told.contains(&credential), "{credential}");
        }
        nobody_is_told(platform, &met, &told);
    }
}

/// Nothing by which anybody of `met` could be known is in the text.
fn nobody_is_told(platform: Platform, met: &Met, told: &str) {
    let mut fields = BTreeMap::new();
    for record in &met.records {
        leaves("", &serde_json::from_slice(&record.payload).unwrap(), &mut fields);
        let id = record.id.as_str();
        // WeCom numbers departments from 1.
        let few = id.len() < 5 && id.bytes().all(|b| b.is_ascii_digit());
        assert!(few || !told.contains(id), "{id}");
    }
    let own: &[&str] = match platform {
        Platform::Feishu => &["employee_no", "open_id", "union_id", "user_id"],
        Platform::DingTalk => &["job_number", "unionid", "userid", "org_email", "label"],
        Platform::WeCom => &["userid", "biz_mail"],
    };
    for name in ["name", "mobile", "email"].iter().chain(own) {
        assert!(fields.get(*name).is_some_and(|found| found.len() > 20), "{name} was read");
    }
    // What may be told: times and days, verdicts and kinds, the platform's own codes. What may be there by chance: an id or a
    // number of few digits, one character.
    let harmless = |name: &str, text: &str| {
        let steers = ["time", "type", "result", "status", "zone", "day"];
        let name = name.to_lowercase();
        let steers = steers.iter().any(|it| name.ends_with(it))
            || ["fieldcode", "leave_code", "duration_unit"].contains(&&*name);
        let short = text.len() < 7 && text.bytes().any(|b| b.is_ascii_digit());
        let told = steers && !text.contains('@') || short || text.len() < 5;
        text.is_ascii() && told || text.chars().count() == 1
    };
    let mut looked_for = 0;
    for (name, texts) in &fields {
        for text in texts.iter().filter(|text| !harmless(name, text)) {
            looked_for += 1;
            assert!(!told.contains(text.as_str()), "the {name} `{text}` is in the recording");
            let local = text.split_once('@').map_or("", |(local, _)| local);
            assert!(local.len() < 5 || !told.contains(local), "{text}");
            let national = text.strip_prefix("+86").unwrap_or(text);
            assert!(national == text || !told.contains(national), "{text}");
        }
    }
    assert!(looked_for > 500, "{platform}: {looked_for} texts of people were looked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_difference_is_shown_with_its_place() {
    let simulator = company(20).start("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl.zst");
    record(&simulator, &file).await;
    simulator.shutdown().await;
    let plugin = feishu();
    // Another address was asked for in the second call.
    let line = "/open-apis/";
    let asked = altered(&file, |at, text| match at {
        2 => text.replacen(line, "/elsewhere/", 1),
        _ => text.to_owned(),
    });
    let replayed = replay(&plugin, &asked, Build::Same).await.unwrap();
    let differs = replayed.differs.unwrap();
    assert_eq!((differs.call, replayed.calls), (2, 2), "{differs:?}");
    let difference = differs.difference;
    assert!(difference.effect.is_some(), "{difference:?}");
    assert!(
        difference.expected.contains("/elsewhere/") && difference.found.contains(line),
        "{difference:?}"
    );
    // A record of some page was another one.
    let answered =
        altered(&file, |_, text| text.replacen("\"payloads\":\"", "\"payloads\":\"00", 1));
    assert!(replay(&plugin, &answered, Build::Same).await.is_err(), "no digest has 34 digits");
    let zeros = format!("\"payloads\":\"{}\"", "0".repeat(32));
    let answered = altered(&file, |_, text| match text.find("\"payloads\":\"") {
        Some(found) => format!("{}{zeros}{}", &text[..found], &text[found + zeros.len()..]),
        None => text.to_owned(),
    });
    let difference = replay(&plugin, &answered, Build::Same).await.unwrap().differs.unwrap();
    assert_eq!((difference.call, difference.difference.effect), (1, None));
    assert!(difference.difference.expected.starts_with("payloads 0000"), "{difference:?}");
    // An effect is missing: the guest asks for more than there is.
    let short = altered(&file, |at, text| match at {
        2 => {
            let mut line: Value = serde_json::from_str(text).unwrap();
            line["call"]["effects"].as_array_mut().unwrap().pop();
            line.to_string()
        }
        _ => text.to_owned(),
    });
    let difference = replay(&plugin, &short, Build::Same).await.unwrap().differs.unwrap();
    assert_eq!(difference.difference.expected, "nothing more");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_build_is_judged_only_when_asked_for() {
    let simulator = company(10).start("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl.zst");
    record(&simulator, &file).await;
    simulator.shutdown().await;
    let mut wasm = std::fs::read("plugins/feishu.wasm").unwrap();
    // A custom section `x` without content: another file, the same code.
    wasm.extend([0, 2, 1, b'x']);
    let other = folder.path().join("feishu.wasm");
    std::fs::write(&other, wasm).unwrap();
    let other = PluginHost::new(None).unwrap().load(&other).unwrap();
    let refused = replay(&other, &file, Build::Same).await.unwrap_err();
    assert!(matches!(refused, RecordError::Digest { .. }), "{refused}");
    assert!(refused.to_string().contains("--any-build"), "{refused}");
    assert_eq!(replay(&other, &file, Build::Any).await.unwrap().differs, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_none_cut_or_of_another_format_is_told_apart() {
    let simulator = company(10).start("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl.zst");
    record(&simulator, &file).await;
    simulator.shutdown().await;
    let plugin = feishu();
    let refused = async |file: &Path| replay(&plugin, file, Build::Same).await.unwrap_err();
    let whole = std::fs::read(&file).unwrap();
    let cut = folder.path().join("cut");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    assert!(matches!(refused(&cut).await, RecordError::Read { .. }));
    let last = text(&file).lines().count() - 1;
    let endless =
        altered(&file, |at, text| if at == last { String::new() } else { text.to_owned() });
    assert!(matches!(refused(&endless).await, RecordError::Line { .. }));
    std::fs::write(&cut, b"not compressed").unwrap();
    assert!(matches!(refused(&cut).await, RecordError::Read { .. }));
    let newer = altered(&file, |_, text| {
        text.replace("\"rollcall_recording\":1", "\"rollcall_recording\":2")
    });
    assert!(matches!(refused(&newer).await, RecordError::Format { found: 2, .. }));
    let other =
        altered(&file, |_, text| text.replace("\"plugin\":\"feishu\"", "\"plugin\":\"other\""));
    assert!(matches!(refused(&other).await, RecordError::Plugin { .. }));
    assert!(matches!(refused(&folder.path().join("none")).await, RecordError::Read { .. }));
}

#[tokio::test]
async fn a_recorder_listens_to_one_connection() {
    let simulator = company(10).start("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::create(&folder.path().join("run"), &OsRandom).unwrap());
    let plugin = feishu();
    let listen = || Connection::recorded(spec(&simulator, &plugin), &recorder);
    listen().unwrap();
    assert!(listen().err().unwrap().to_string().contains("--connection"));
}

/// The committed recordings of a plugin.
fn committed(plugin: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut all: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| {
        path.file_name().unwrap().to_string_lossy().starts_with(&format!("{plugin}-"))
    });
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connectors_still_do_what_they_did_when_they_were_recorded() {
    for platform in Platform::ALL {
        let plugin = connector(platform);
        let recordings = committed(platform.name());
        assert!(recordings.len() >= 2, "{platform} has {} recordings", recordings.len());
        for recording in recordings {
            let replayed = replay(&plugin, &recording, Build::Any).await.unwrap();
            let file = recording.display();
            assert!(replayed.calls > 10 && replayed.records > 50, "{file}: {replayed:?}");
            assert_eq!(
                replayed.differs, None,
                "{file}; if the connector is meant to do this, record anew"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the committed recordings anew"]
async fn record_anew() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    for platform in Platform::ALL {
        let simulator = company_on(platform, 40).start("127.0.0.1:0").await.unwrap();
        record(&simulator, &folder.join(format!("{platform}-whole.jsonl.zst"))).await;
        simulator.shutdown().await;
        let simulator = company_on(platform, 30).start("127.0.0.1:0").await.unwrap();
        let struck = roughen(&simulator);
        record(&simulator, &folder.join(format!("{platform}-rough.jsonl.zst"))).await;
        struck(&simulator);
        simulator.shutdown().await;
    }
}
