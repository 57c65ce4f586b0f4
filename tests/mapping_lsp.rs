//! The language server, driven as an editor does: the real command, real messages over its pipes.
#![expect(clippy::unwrap_used, reason = "a server that does not answer is a test that fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running server.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    next: u64,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
            .args(["mapping", "lsp"])
            .env("FEISHU_APP_SECRET", "not-a-real-one")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output), next: 0 }
    }

    fn write(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.write(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server has ended");
            if line.trim().is_empty() {
                break;
            }
            if let Some(number) = line.strip_prefix("Content-Length:") {
                length = number.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
        if !params.is_null() {
            message["params"] = params.clone();
        }
        self.write(&message);
        loop {
            let answer = self.read();
            if answer["id"] == id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The findings that the server publishes next.
    fn findings(&mut self) -> Value {
        loop {
            let message = self.read();
            if message["method"] == "textDocument/publishDiagnostics" {
                return message["params"].clone();
            }
        }
    }

    fn initialize(&mut self) -> Value {
        let answer = self.ask("initialize", &json!({"capabilities": {}, "processId": null}));
        self.notify("initialized", &json!({}));
        answer
    }

    fn end(mut self) {
        self.ask("shutdown", &Value::Null);
        self.notify("exit", &Value::Null);
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

const SCRIPT: &str = "#{ display_name: record.name, department_external_ids: [], status: \"active\",\nalias: record.nikname,\n}\n";

/// A folder with one mapping; its file's address.
fn project() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mappings/feishu/employee.rhai");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, SCRIPT).unwrap();
    let uri = url::Url::from_file_path(&file).unwrap().to_string();
    (folder, uri)
}

fn labels(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect()
}

#[test]
fn an_editor_is_told_what_is_wrong_while_one_types() {
    let (folder, uri) = project();
    let mut server = Server::start(folder.path());
    server.initialize();
    let document = json!({"uri": uri, "languageId": "rhai", "version": 1, "text": SCRIPT});
    server.notify("textDocument/didOpen", &json!({"textDocument": document}));
    let found = server.findings();
    assert_eq!(found["uri"], uri);
    let first = &found["diagnostics"][0];
    assert_eq!(first["code"], "mapping::unknown_path");
    assert_eq!(first["severity"], 2);
    assert_eq!(
        first["range"],
        json!({"start": {"line": 1, "character": 14}, "end": {"line": 1, "character": 21}})
    );
    assert!(first["message"].as_str().unwrap().contains("did you mean `nickname`?"), "{first}");
    let change = |version: i32, text: &str| json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]});
    let mended = SCRIPT.replace("nikname", "nickname");
    server.notify("textDocument/didChange", &change(2, &mended));
    assert_eq!(server.findings()["diagnostics"], json!([]));
    let broken = mended.replace("alias:", "mobile: 1, alias:");
    server.notify("textDocument/didChange", &change(3, &broken));
    let found = server.findings();
    assert_eq!(found["version"], 3);
    assert_eq!(found["diagnostics"][0]["code"], "mapping::type_mismatch");
    assert_eq!(found["diagnostics"][0]["severity"], 1);
    let cut = "#{ display_name: record.";
    server.notify("textDocument/didChange", &change(4, cut));
    assert_eq!(server.findings()["diagnostics"][0]["code"], "mapping::syntax");
    server.end();
}

#[test]
fn exceptions_and_tables_are_judged_where_a_mapping_is() {
    let folder = tempfile::tempdir().unwrap();
    let rollcall = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall"));
        assert!(command.args(args).current_dir(folder.path()).output().unwrap().status.success());
    };
    rollcall(&["init"]);
    let layer = "mappings/tenants/acme/feishu";
    std::fs::create_dir_all(folder.path().join(layer)).unwrap();
    let mut server = Server::start(folder.path());
    server.initialize();
    let mut open = |file: &str, text: &str| {
        let uri = url::Url::from_file_path(folder.path().join(file)).unwrap().to_string();
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        server.notify("textDocument/didOpen", &json!({"textDocument": document}));
        server.findings()["diagnostics"].clone()
    };
    let exceptions = "- entity: employee\n  match: { external_id: \"feishu:employee:e1\" }\n  set: { job_titel: Chief }\n  until: 2099-12-31\n  reason: a test\n";
    let found = open(&format!("{layer}/exceptions.yaml"), exceptions);
    assert_eq!(found[0]["code"], "mapping::unknown_field", "{found}");
    assert_eq!(found[0]["range"]["start"]["line"], 2, "{found}");
    let mended = exceptions.replace("job_titel", "job_title");
    assert_eq!(open(&format!("{layer}/exceptions.yaml"), &mended), json!([]));
    let found = open("mappings/feishu/tables.yaml", "status: [");
    assert_eq!(found[0]["severity"], 1, "{found}");
    assert_eq!(open("elsewhere/exceptions.yaml", exceptions), json!([]), "nobody's exceptions");
    server.end();
}

#[test]
fn an_editor_completes_and_explains() {
    let (folder, uri) = project();
    let mut server = Server::start(folder.path());
    let about = server.initialize();
    assert_eq!(about["serverInfo"]["name"], "rollcall");
    assert!(about["capabilities"]["completionProvider"].is_object(), "{about}");
    let text = "#{ display_name: record.\n mobile: phone(record.mobile),\n \n}";
    let document = json!({"uri": uri, "languageId": "rhai", "version": 1, "text": text});
    server.notify("textDocument/didOpen", &json!({"textDocument": document}));
    let mut ask = |method: &str, line: u32, character: u32| {
        let place = json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": character}});
        server.ask(method, &place)
    };
    let parts = ask("textDocument/completion", 0, 24);
    assert!(labels(&parts).contains(&"employee_no"), "{parts}");
    assert_eq!(parts[0]["kind"], 10, "parts of the record come first");
    let fields = ask("textDocument/completion", 2, 1);
    assert!(labels(&fields).contains(&"work_email"), "{fields}");
    assert!(!labels(&fields).contains(&"mobile"), "{fields}");
    let hover = ask("textDocument/hover", 1, 11);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("E.164"), "{hover}");
    assert_eq!(ask("textDocument/hover", 2, 0), Value::Null);
    server.end();
}

#[test]
fn the_settings_of_the_readme_start_a_server_that_answers() {
    for readme in [include_str!("../README.md"), include_str!("../README.zh-CN.md")] {
        let settings = readme
            .split("```json\n")
            .filter_map(|part| part.split("```").next())
            .find(|block| block.contains("glspc.server.command"))
            .expect("the settings stand in the README");
        let settings: Value = serde_json::from_str(settings).unwrap();
        assert_eq!(settings["glspc.server.command"], "rollcall");
        assert_eq!(settings["glspc.server.commandArguments"], json!(["mapping", "lsp"]));
        assert_eq!(settings["glspc.server.languageId"], json!(["rhai", "yaml"]));
        assert_eq!(settings["files.associations"]["*.rhai"], "rhai");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    assert_eq!(server.initialize()["serverInfo"]["name"], "rollcall");
    server.end();
}
