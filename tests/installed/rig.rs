//! A real set-up in a temporary folder: a simulated platform over HTTP, real configuration files, the real binary.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;
use simulator::{Builder, Platform, Simulator};
use tempfile::TempDir;

/// Everything one installation of rollcall needs.
pub(crate) struct Rig {
    pub(crate) dir: TempDir,
    pub(crate) simulator: Simulator,
}

/// Today in the tenant's zone: what the simulated platform and the binary's own clock agree on.
pub(crate) fn today() -> String {
    jiff::Timestamp::now().in_tz("Asia/Shanghai").unwrap().date().to_string()
}

impl Rig {
    /// Starts a platform and writes a configuration that points at it.
    pub(crate) async fn start(builder: Builder) -> Self {
        Self::start_as_is(builder.today(today())).await
    }

    /// The same at the time that the builder says.
    pub(crate) async fn start_as_is(builder: Builder) -> Self {
        let simulator = builder.start("127.0.0.1:0").await.unwrap();
        let rig = Self { dir: tempfile::tempdir().unwrap(), simulator };
        copy(Path::new("mappings"), &rig.path("mappings"));
        fs::create_dir(rig.path("plugins")).unwrap();
        let plugin = format!("plugins/{}.wasm", rig.simulator.platform());
        fs::copy(&plugin, rig.path(&plugin)).unwrap();
        fs::create_dir(rig.path("tenants")).unwrap();
        fs::write(rig.path("secret"), rig.simulator.app_secret()).unwrap();
        rig.allow_attempts(2);
        rig.write_tenant("");
        rig
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes the process's file: how often a call that met a fault is made in all.
    pub(crate) fn allow_attempts(&self, attempts: usize) {
        self.write(
            "rollcall.yaml",
            &format!(
                "listen: 127.0.0.1:0\nlimits: {{ attempts: {attempts}, rates: false }}\ncases: gate\ncache: {}/compiled\n",
                env!("CARGO_TARGET_TMPDIR")
            ),
        );
    }

    /// Writes the tenant's file, with `more` at its end.
    pub(crate) fn write_tenant(&self, more: &str) {
        self.tenant("", more);
    }

    /// Writes the tenant's file with one more setting of the connection.
    pub(crate) fn write_setting(&self, setting: &str) {
        self.tenant(&format!(", {setting}"), "");
    }

    fn tenant(&self, setting: &str, more: &str) {
        let platform = self.simulator.platform();
        let address = self.simulator.url();
        let address = address.trim_start_matches("http://");
        let [settings, secrets] = self.app();
        self.write(
            "tenants/acme.yaml",
            &format!(
                "timezone: Asia/Shanghai\nregion: CN\nehr: ehr.db\nschedule: \"0 3 * * *\"\nconnections:\n  {platform}:\n    \
                 plugin: {platform}\n    settings: {{ {settings}{setting} }}\n    secrets: {{ {secrets} }}\n    \
                 grants: {{ private: [{address:?}] }}\n    attendance: {{ lookback_days: 2, backfill_days: 5 }}\n{more}"
            ),
        );
    }

    /// The app's settings and secrets, as its platform's connector names them.
    fn app(&self) -> [String; 2] {
        let (url, id) = (self.simulator.url(), self.simulator.app_id());
        match self.simulator.platform() {
            Platform::Feishu => [
                format!("open_host: {url:?}, app_id: {id:?}"),
                "app_secret: \"file:secret\"".to_owned(),
            ],
            Platform::WeCom => {
                self.write("contacts", "simulator-contacts-0001");
                [
                    format!("api_host: {url:?}, corp_id: {id:?}, agent_id: \"1000002\""),
                    "app_secret: \"file:secret\", contacts_secret: \"file:contacts\"".to_owned(),
                ]
            }
            Platform::DingTalk => [
                format!("api_host: {url:?}, oapi_host: {url:?}, client_id: {id:?}"),
                "client_secret: \"file:secret\"".to_owned(),
            ],
        }
    }

    /// The binary with this set-up's configuration.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        command.arg("--config").arg(self.path("rollcall.yaml")).args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a verb that must succeed and returns its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.run(&[args, &["--format", "json"]].concat());
        let [told, errors] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
        assert!(output.status.success(), "{args:?} ended with {}: {errors}{told}", output.status);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn ehr(&self) -> Connection {
        Connection::open(self.path("ehr.db")).unwrap()
    }

    /// Everything in the EHR but row numbers and the times of writing, as text.
    pub(crate) fn content(&self) -> String {
        self.tables(&["departments", "employees", "check_ins", "attendance_days", "leaves"])
    }

    fn tables(&self, names: &[&str]) -> String {
        let ehr = self.ehr();
        names.iter().map(|table| dump(&ehr, table)).collect()
    }

    /// A run over everything finds no department and no person that events left out. Punches of the day that goes on are
    /// told by no event: they are the run's own to find.
    pub(crate) fn nobody_is_missing(&self) {
        let directory = || self.tables(&["departments", "employees"]);
        let before = directory();
        let report = self.json(&["sync"]);
        for entity in ["department", "employee"] {
            let written = report[0]["written"][entity].as_u64().unwrap_or(0);
            assert_eq!(written, 0, "events left something out: {}", report[0]["written"]);
        }
        assert_eq!(directory(), before);
    }

    /// The first value of a query.
    pub(crate) fn value<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        self.ehr().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn dump(ehr: &Connection, table: &str) -> String {
    let names: Vec<String> = ehr
        .prepare(&format!("select name from pragma_table_info('{table}')"))
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .filter(|name: &String| !name.ends_with("_at") || name == "at")
        .filter(|name| name != "id" && (!name.ends_with("_id") || name.ends_with("external_id")))
        .collect();
    let columns: Vec<String> = names.iter().map(|name| format!("quote({name})")).collect();
    let resolved = match table {
        "employees" => ", manager_id is null, department_id is null",
        "departments" => ", parent_id is null",
        "check_ins" | "attendance_days" => ", employee_id is null",
        _ => "",
    };
    let sql = format!(
        "select {}{resolved} from {table} order by external_id",
        columns.join(" || '|' || ")
    );
    let mut statement = ehr.prepare(&sql).unwrap();
    let count = statement.column_count();
    let mut rows = statement.query([]).unwrap();
    let mut out = format!("== {table} {names:?}\n");
    while let Some(row) = rows.next().unwrap() {
        for at in 0..count {
            let value: rusqlite::types::Value = row.get(at).unwrap();
            write!(out, "{value:?} ").unwrap();
        }
        out.push('\n');
    }
    out
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
