//! Shared modules: `import "lib/names" as names;` brings the functions of `mappings/lib/names.rhai` into a script.
//!
//! Nothing is imported while a mapping runs. A script's imports are followed when it is loaded: `names::short(x)` becomes
//! the function `names__short` of the script, so that interpreter and tree see functions of the script and nothing else.
//! Not here: compiling (`script`), and the files (`files`). The invariant: only files of `mappings/lib` can be named, no
//! module imports itself on any way, and every place in the linked text leads back to the file it was written in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Fault, Source};
use super::linked::{JOINT, Linked, Part};
use super::tokens::{Kind, Token, tokens};
use crate::model::schema;

/// What stands in front of a module's name in an import, and is its folder.
pub(crate) const FOLDER: &str = "lib";
/// Most modules that a script brings in, counted on every way to them.
const MOST: usize = 32;
/// Most modules on the way from a script to another.
const DEEPEST: usize = 8;
/// Most bytes of all modules that a script brings in.
const MOST_BYTES: usize = 256 * 1024;

/// The shared modules by name.
pub(crate) type Modules = BTreeMap<String, Arc<Source>>;

/// Follows the imports of a script.
///
/// # Errors
/// Every [`Fault`] of the imports, in the file that they stand in.
pub(crate) fn link(source: &Arc<Source>, modules: &Modules) -> Result<Linked, Vec<Fault>> {
    let mut linker = Linker {
        modules,
        functions: String::new(),
        parts: vec![Part::own(source)],
        count: 0,
        faults: Vec::new(),
        way: Vec::new(),
    };
    let rewritten = linker.rewrite(source, None);
    if !linker.faults.is_empty() {
        return Err(linker.faults);
    }
    let mut functions = String::new();
    if !linker.functions.is_empty() {
        functions = format!("{}{}", "\n".repeat(source.text.lines().count()), linker.functions);
    }
    Ok(Linked { script: rewritten.text, functions, parts: linker.parts })
}

struct Linker<'m> {
    modules: &'m Modules,
    functions: String,
    parts: Vec<Part>,
    count: usize,
    faults: Vec<Fault>,
    /// The modules that are being brought in.
    way: Vec<String>,
}

/// A text with its imports followed.
struct Rewritten {
    text: String,
    inserts: Vec<(usize, usize, usize)>,
}

/// An import as it is written.
struct Import<'s> {
    module: &'s str,
    alias: &'s str,
    /// From `import` to after the semicolon.
    range: std::ops::Range<usize>,
}

impl Linker<'_> {
    fn fault(&mut self, source: &Source, at: usize, message: String, help: &str) {
        let fault = Fault::of(source, Some(at), "mapping::import", message);
        self.faults.push(fault.help(help));
    }

    /// Rewrites a script (without a prefix) or a module, and brings in what it imports.
    fn rewrite(&mut self, source: &Arc<Source>, prefix: Option<&str>) -> Rewritten {
        let tokens = tokens(&source.text);
        let imports = self.imports(source, &tokens);
        for import in &imports {
            let inner = format!("{}{}{JOINT}", prefix.unwrap_or_default(), import.alias);
            self.bring(source, import, &inner);
        }
        let own = own_functions(&source.text, &tokens);
        let mut edit = Edit::new(&source.text);
        for (nth, token) in tokens.iter().enumerate() {
            let before = nth.checked_sub(1).and_then(|at| tokens.get(at));
            let after = tokens.get(nth + 1);
            if let Some(import) = imports.iter().find(|one| one.range.contains(&token.start)) {
                edit.blank(import.range.clone());
                continue;
            }
            let word = token.text(&source.text);
            let is_name = token.kind == Kind::Word
                && !before.is_some_and(|before| matches!(before.kind, Kind::Dot | Kind::Scope));
            if token.kind == Kind::Scope {
                let alias = before.map_or("", |before| before.text(&source.text));
                if !imports.iter().any(|import| import.alias == alias) {
                    let message = format!("there is no module `{alias}` here");
                    self.fault(
                        source,
                        token.start,
                        message,
                        "import it at the top: `import \"lib/names\" as names;`",
                    );
                }
                edit.replace(token, JOINT);
            } else if let Some(prefix) = prefix.filter(|_| is_name) {
                let called =
                    after.is_some_and(|after| after.kind == Kind::Open) && own.contains(&word);
                let scoped = after.is_some_and(|after| after.kind == Kind::Scope);
                if called || scoped {
                    edit.insert(token.start, prefix);
                }
            }
        }
        edit.done()
    }

    fn imports<'s>(&mut self, source: &'s Source, tokens: &[Token]) -> Vec<Import<'s>> {
        let mut found: Vec<Import<'s>> = Vec::new();
        for (nth, token) in tokens.iter().enumerate() {
            if token.kind != Kind::Word || token.text(&source.text) != "import" {
                continue;
            }
            let text =
                |at: usize| tokens.get(nth + at).map_or("", |token| token.text(&source.text));
            let kind = |at: usize| tokens.get(nth + at).map(|token| token.kind);
            let module =
                text(1).trim_matches('"').strip_prefix("lib/").filter(|name| is_name(name));
            let whole = kind(1) == Some(Kind::Text)
                && text(2) == "as"
                && kind(3) == Some(Kind::Word)
                && text(4) == ";";
            match (module, tokens.get(nth + 4)) {
                (Some(module), Some(last)) if whole => {
                    let alias = text(3);
                    if alias.contains(JOINT) || found.iter().any(|import| import.alias == alias) {
                        let message = format!("`{alias}` cannot be the name of this module here");
                        self.fault(source, token.start, message, "choose another name after `as`");
                    }
                    found.push(Import { module, alias, range: token.start..last.end });
                }
                _ => {
                    let message = "this import is not understood".to_owned();
                    let help = "write `import \"lib/names\" as names;` for the file `mappings/lib/names.rhai`; only files of that folder can be imported";
                    self.fault(source, token.start, message, help);
                }
            }
        }
        found
    }

    /// Puts the functions of a module behind the script.
    fn bring(&mut self, from: &Source, import: &Import<'_>, prefix: &str) {
        let at = import.range.start;
        if self.count > MOST {
            return;
        }
        let Some(module) = self.modules.get(import.module).cloned() else {
            let message = format!("there is no module `lib/{}`", import.module);
            let names = self.modules.keys().map(String::as_str);
            let help = schema::nearest(import.module, names).map_or_else(
                || format!("write `mappings/lib/{}.rhai`", import.module),
                |near| format!("did you mean `lib/{near}`?"),
            );
            return self.fault(from, at, message, &help);
        };
        if self.way.iter().any(|name| name == import.module) {
            let message = format!(
                "modules import each other in a circle: {} -> {}",
                self.way.join(" -> "),
                import.module
            );
            return self.fault(from, at, message, "move what both need into a third module");
        }
        self.count += 1;
        if self.count > MOST || self.way.len() >= DEEPEST || self.functions.len() > MOST_BYTES {
            let message = format!(
                "a script brings in more than {MOST} modules, {DEEPEST} deep, or {MOST_BYTES} bytes"
            );
            return self.fault(
                from,
                at,
                message,
                "import less, or put what belongs together into one module",
            );
        }
        self.way.push(import.module.to_owned());
        let rewritten = self.rewrite(&module, Some(prefix));
        self.way.pop();
        let first = self.first_line() + self.functions.lines().count();
        self.parts.push(Part { first, inserts: rewritten.inserts, ..Part::own(&module) });
        self.functions.push_str(rewritten.text.trim_end_matches('\n'));
        self.functions.push('\n');
    }

    /// The line on which the first module starts.
    fn first_line(&self) -> usize {
        self.parts.first().map_or(1, |script| 1 + script.source.text.lines().count())
    }
}

/// Letters, digits and underscores, so that a name leads nowhere else.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The functions that a text defines.
fn own_functions<'s>(text: &'s str, tokens: &[Token]) -> Vec<&'s str> {
    let defined = |pair: &[Token]| match pair {
        [before, name] if before.text(text) == "fn" && name.kind == Kind::Word => {
            Some(name.text(text))
        }
        _ => None,
    };
    tokens.windows(2).filter_map(defined).collect()
}

/// A text while it is edited from front to back.
struct Edit<'s> {
    text: &'s str,
    out: String,
    done: usize,
    inserts: Vec<(usize, usize, usize)>,
}

impl<'s> Edit<'s> {
    fn new(text: &'s str) -> Self {
        Self { text, out: String::with_capacity(text.len()), done: 0, inserts: Vec::new() }
    }

    fn copy(&mut self, to: usize) {
        if to > self.done {
            self.out.push_str(self.text.get(self.done..to).unwrap_or_default());
            self.done = to;
        }
    }

    fn insert(&mut self, at: usize, what: &str) {
        self.copy(at);
        let line = self.out.matches('\n').count() + 1;
        let column = self.out.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        self.inserts.push((line, column, what.chars().count()));
        self.out.push_str(what);
    }

    /// Puts something of the same length in the place of a token.
    fn replace(&mut self, token: &Token, by: &str) {
        self.copy(token.start);
        self.out.push_str(by);
        self.done = token.end;
    }

    fn blank(&mut self, range: std::ops::Range<usize>) {
        if range.start < self.done {
            return;
        }
        self.copy(range.start);
        let gone = self.text.get(range.clone()).unwrap_or_default();
        self.out.extend(gone.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        self.done = range.end;
    }

    fn done(mut self) -> Rewritten {
        self.copy(self.text.len());
        Rewritten { text: self.out, inserts: self.inserts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: &str) -> Arc<Source> {
        Arc::new(Source { name: name.to_owned(), text: text.to_owned() })
    }

    fn modules(files: &[(&str, &str)]) -> Modules {
        let one = |(name, text): &(&str, &str)| {
            ((*name).to_owned(), source(&format!("lib/{name}.rhai"), text))
        };
        files.iter().map(one).collect()
    }

    fn faults(script: &str, files: &[(&str, &str)]) -> Vec<String> {
        let faults = link(&source("feishu/employee.rhai", script), &modules(files)).unwrap_err();
        faults
            .iter()
            .map(|fault| format!("{}:{} {fault}", fault.place().script, fault.place().line))
            .collect()
    }

    #[test]
    fn a_module_stands_behind_the_script_under_its_name() {
        let files = [
            (
                "names",
                "// names\nimport \"lib/text\" as text;\nfn short(x) { cut(text::trim(x), \"short(\") }\nfn cut(x, y) { x.cut(1) + y }",
            ),
            ("text", "fn trim(x) { x }"),
        ];
        let script = "import \"lib/names\" as n; // import\nlet a = n::short(`${n::cut(\"}\", 1)} n::x`);\n#{ a: a }";
        let linked = link(&source("feishu/employee.rhai", script), &modules(&files)).unwrap();
        let blank = |length: usize| " ".repeat(length);
        let rest = "// import\nlet a = n__short(`${n__cut(\"}\", 1)} n::x`);\n#{ a: a }";
        assert_eq!(linked.script, format!("{} {rest}", blank(24)));
        let functions = "fn n__short(x) { n__cut(n__text__trim(x), \"short(\") }\nfn n__cut(x, y) { x.cut(1) + y }\n";
        assert_eq!(
            linked.functions,
            format!("\n\n\nfn n__text__trim(x) {{ x }}\n// names\n{}\n{functions}", blank(26))
        );
        let at = |line, column| {
            let (source, line, column) = linked.resolve(line, column);
            (source.name.as_str(), line, column)
        };
        assert_eq!(at(2, 9), ("feishu/employee.rhai", 2, 9));
        assert_eq!(at(4, 4), ("lib/text.rhai", 1, 4));
        // `cut(` and `text::trim(` of the third line of the module.
        assert_eq!(at(7, 18), ("lib/names.rhai", 3, 15));
        assert_eq!(at(7, 25), ("lib/names.rhai", 3, 19));
        assert_eq!(linked.shown("n__short"), "n::short");
    }

    #[test]
    fn without_imports_a_script_stays_what_it_is() {
        let text = "// import \"lib/x\" as x;\n#{ a: \"import x::y\", b: `x::y`, c: 'x' }";
        let linked = link(&source("feishu/employee.rhai", text), &Modules::new()).unwrap();
        assert_eq!(linked.text(), text);
    }

    #[test]
    fn nothing_but_files_of_the_folder_can_be_named() {
        for path in [
            "names",
            "lib/../secret",
            "lib/a/b",
            "/etc/passwd",
            "lib/",
            "lib/Names",
            "lib/names.rhai",
            "feishu/employee",
        ] {
            let script = format!("import \"{path}\" as x;\n#{{}}");
            let told = faults(&script, &[("names", "")]);
            assert_eq!(told, ["feishu/employee.rhai:1 this import is not understood"], "{path}");
        }
        for script in [
            "import \"lib/names\";",
            "import x as y;",
            "import \"lib/names\" as 1;",
            "import `lib/${x}` as y;",
            "import",
        ] {
            assert_eq!(faults(script, &[("names", "")]).len(), 1, "{script}");
        }
    }

    #[test]
    fn what_is_not_there_or_goes_in_a_circle_is_told_where_it_is_imported() {
        assert_eq!(
            faults("\nimport \"lib/nams\" as n;", &[("names", "")]),
            ["feishu/employee.rhai:2 there is no module `lib/nams`"]
        );
        assert_eq!(faults("x::y(1)", &[]), ["feishu/employee.rhai:1 there is no module `x` here"]);
        let circle = [("a", "\nimport \"lib/b\" as b;"), ("b", "import \"lib/a\" as a;")];
        assert_eq!(
            faults("import \"lib/a\" as a;", &circle),
            ["lib/b.rhai:1 modules import each other in a circle: a -> b -> a"]
        );
        assert_eq!(faults("import \"lib/a\" as a;", &[("a", "import \"lib/a\" as a;")]).len(), 1);
        assert_eq!(
            faults("import \"lib/a\" as a;\nimport \"lib/b\" as a;", &[("a", ""), ("b", "")]).len(),
            1
        );
    }

    #[test]
    fn a_script_cannot_bring_in_modules_without_end() {
        // Each module imports the next one twice: 2^n ways.
        let names: Vec<String> = (0..8).map(|n| format!("m{n}")).collect();
        let texts: Vec<String> = (1..9)
            .map(|n| format!("import \"lib/m{n}\" as a;\nimport \"lib/m{n}\" as b;\n"))
            .collect();
        let mut files: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        files.push(("m8", "fn f() { 1 }"));
        let told = faults("import \"lib/m0\" as a;", &files);
        assert!(told.iter().any(|fault| fault.contains("more than 32 modules")), "{told:?}");
    }
}
