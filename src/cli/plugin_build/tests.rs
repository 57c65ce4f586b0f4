use super::*;

const MANIFEST: &str = r#"{ "name": "mine", "version": "1.2.3", "contract": "0.1.0" }"#;

/// A folder with a guest crate, the sdk and the contract in it; the files are made in the order given.
fn sources(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    root
}

const FILES: [(&str, &str); 6] = [
    ("mine/Cargo.toml", "[package]"),
    ("mine/manifest.json", MANIFEST),
    ("mine/src/lib.rs", "mod a;"),
    ("mine/src/deep/a.rs", "fn a() {}"),
    ("sdk/src/lib.rs", "pub trait Host {}"),
    ("wit/since_v0_1/plugin.wit", "package rollcall:plugin@0.1.0;"),
];

fn digest(root: &tempfile::TempDir) -> String {
    source_digest(&root.path().join("mine")).unwrap()
}

#[test]
fn a_digest_is_of_names_and_contents_wherever_they_are() {
    let here = sources(&FILES);
    let mut backwards = FILES;
    backwards.reverse();
    let there = sources(&backwards);
    assert_eq!(digest(&here), digest(&there));
    assert_eq!(digest(&here).len(), 64);
}

#[test]
fn every_source_counts() {
    let before = digest(&sources(&FILES));
    for index in 0..FILES.len() {
        let mut changed = FILES;
        changed[index].1 = "changed";
        assert_ne!(digest(&sources(&changed)), before, "{}", FILES[index].0);
    }
    let mut moved = FILES;
    moved[3].0 = "mine/src/deep/b.rs";
    assert_ne!(digest(&sources(&moved)), before);
}

#[test]
fn what_is_no_source_does_not_count() {
    let mut files = FILES.to_vec();
    files.extend([
        ("mine/tests/a.rs", "x"),
        ("mine/target/x", "x"),
        ("mine/src/.lib.rs.swp", "x"),
        ("mine/src/lib.rs~", "x"),
        ("sdk/tests/a.rs", "x"),
    ]);
    assert_eq!(digest(&sources(&files)), digest(&sources(&FILES)));
}

#[test]
fn every_committed_plugin_is_built_from_the_sources_beside_it() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins");
    let mut found = 0;
    for entry in fs::read_dir(&plugins).unwrap().map(Result::unwrap) {
        if !entry.path().join("manifest.json").is_file() {
            continue;
        }
        found += 1;
        let name = entry.file_name().into_string().unwrap();
        let component = fs::read(plugins.join(format!("{name}.wasm"))).unwrap();
        let sections = sections(&component);
        let stamped = |name| sections.iter().find(|(n, _)| n == name).map(|(_, content)| content);
        let digest = source_digest(&entry.path()).unwrap();
        assert_eq!(
            stamped(SOURCE_SECTION).map(|s| String::from_utf8_lossy(s).into_owned()),
            Some(digest),
            "run `rollcall plugin build plugins/{name}` and commit plugins/{name}.wasm"
        );
        let manifest: Value = serde_json::from_slice(stamped(MANIFEST_SECTION).unwrap()).unwrap();
        let kept = fs::read(entry.path().join("manifest.json")).unwrap();
        assert_eq!(manifest, serde_json::from_slice::<Value>(&kept).unwrap());
        check_surface(&component).unwrap();
        // Built for speed, not for size; the one that reads descriptions of its own is larger.
        let most = if name == "rest" { 640 } else { 352 };
        assert!(component.len() <= most * 1024, "{name}: {} bytes", component.len());
    }
    assert!(found >= 2, "{found}");
}

#[test]
fn the_digest_follows_the_crate_to_its_sdk() {
    let mut files = FILES.to_vec();
    files[0].1 = "rollcall-sdk = { path = \"vendor/rollcall-sdk\" }";
    files.extend([
        ("mine/vendor/rollcall-sdk/src/lib.rs", "pub trait Host {}"),
        ("mine/vendor/wit/since_v0_1/plugin.wit", "package rollcall:plugin@0.1.0;"),
    ]);
    let before = digest(&sources(&files));
    files[4].1 = "changed, but of no concern";
    assert_eq!(digest(&sources(&files)), before);
    files[6].1 = "changed";
    assert_ne!(digest(&sources(&files)), before);
}

/// The custom sections of a component: name and content.
fn sections(mut component: &[u8]) -> Vec<(String, Vec<u8>)> {
    fn number(bytes: &mut &[u8]) -> usize {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    component = &component[8..];
    let mut found = Vec::new();
    while let Some((id, rest)) = component.split_first() {
        component = rest;
        let length = number(&mut component);
        let (mut section, rest) = component.split_at(length);
        component = rest;
        if *id == 0 {
            let length = number(&mut section);
            let (name, content) = section.split_at(length);
            found.push((String::from_utf8(name.to_vec()).unwrap(), content.to_vec()));
        }
    }
    found
}

#[test]
fn a_stamp_of_any_length_is_read_back() {
    for length in [0, 1, 100, 127, 128, 300, 16_384, 70_000] {
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        stamp(&mut component, "first", &[7; 3]);
        stamp(&mut component, MANIFEST_SECTION, &vec![b'x'; length]);
        let found = sections(&component);
        assert_eq!(found[0], ("first".into(), vec![7; 3]));
        assert_eq!(found[1], (MANIFEST_SECTION.into(), vec![b'x'; length]));
    }
}

#[test]
fn a_manifest_that_cannot_be_used_says_what_to_change() {
    let told = |manifest: &str| {
        let root = sources(&[("manifest.json", manifest)]);
        read_manifest(&root.path().join("manifest.json")).unwrap_err().to_string()
    };
    assert!(told("{").contains("is no JSON"));
    assert!(told("{}").ends_with("has no `name`; add it as a string"));
    assert!(told(r#"{"name": "Mine", "contract": "0.1.0", "version": "1"}"#).contains("a-z"));
    assert!(told(r#"{"name": "mine", "contract": "0.1.0"}"#).contains("has no `version`"));
    let other = told(r#"{"name": "mine", "contract": "9.0.0", "version": "1"}"#);
    assert!(other.contains("asks for contract 9.0.0; this build makes 0.1.0"), "{other}");
    let missing = read_manifest(Path::new("nowhere/manifest.json")).unwrap_err().to_string();
    assert!(missing.contains("nowhere/manifest.json"), "{missing}");
}

#[test]
fn the_module_is_that_of_the_crate_itself() {
    let message = |manifest: &str, file: &str| {
        let message = serde_json::json!({
            "reason": "compiler-artifact", "manifest_path": manifest, "filenames": ["/t/a.rlib", file]
        });
        message.to_string()
    };
    let messages = [
        "no JSON".to_owned(),
        message("/w/sdk/Cargo.toml", "/t/sdk.wasm"),
        message("/w/mine/Cargo.toml", "/t/mine.wasm"),
        r#"{"reason":"build-finished","success":true}"#.to_owned(),
    ];
    let crate_dir = Path::new("/w/mine");
    assert_eq!(module_of(crate_dir, &messages.join("\n")), Some(PathBuf::from("/t/mine.wasm")));
    assert_eq!(module_of(crate_dir, &messages[..2].join("\n")), None);
}

#[test]
fn a_module_that_exports_no_plugin_is_refused() {
    let nothing = encode(b"\0asm\x01\0\0\0").and_then(|component| check_surface(&component));
    let error = nothing.unwrap_err().to_string();
    assert!(error.contains("does not export `rollcall:plugin/plugin@0.1.0`"), "{error}");
    assert!(error.contains("`rollcall_sdk::export!`"), "{error}");
    assert!(matches!(encode(b"\0asm\x01"), Err(BuildError::Component { .. })));
    assert!(matches!(check_surface(b"no component"), Err(BuildError::Component { .. })));
}

#[test]
fn an_import_beyond_the_contract_is_refused_by_name() {
    // A component that imports one empty interface and has nothing else in it.
    let mut component = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\0".to_vec();
    let name = "wasi:cli/environment@0.2.0";
    let length = u8::try_from(name.len()).unwrap();
    component.extend([10, length + 5, 1, 0, length]);
    component.extend(name.bytes());
    component.extend([5, 0]);
    let error = check_surface(&component).unwrap_err();
    assert!(matches!(error, BuildError::ForeignImport { .. }), "{error:?}");
    assert!(error.to_string().contains("`wasi:cli/environment@0.2.0`"), "{error}");
}

#[test]
fn a_file_is_replaced_whole_or_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("new/mine.wasm");
    replace(&out, b"first").unwrap();
    replace(&out, b"second").unwrap();
    assert_eq!(fs::read(&out).unwrap(), b"second");
    assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1);
    let below_a_file = out.join("mine.wasm");
    assert!(replace(&below_a_file, b"third").is_err());
    assert_eq!(fs::read(&out).unwrap(), b"second");
}
