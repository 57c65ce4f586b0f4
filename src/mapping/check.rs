//! What a script may not do, and names that do not exist: found before anything runs.
//!
//! Not here: syntax (`script`) and what only shows with a record (`explain`). The invariant: a script that passes
//! changes no value in place, calls nothing that is not listed, and sets no field that the schema does not have.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::fault::{Fault, Source};
use super::library::{self, Function};
use super::linked::{JOINT, Linked};
use super::script::{RECORD, ZONE, key, literal};
use super::tables::Tables;
use crate::model::entity::Entity;
use crate::model::schema::{self, FieldType};

/// Checks a syntax tree; the faults stand in the order of the text.
pub(crate) fn check(linked: &Linked, ast: &AST, entity: Entity, tables: &Tables) -> Vec<Fault> {
    let mut checker = Checker { linked, tables, own: own_functions(ast), faults: Vec::new() };
    checker.functions(ast);
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Stmt(stmt)) => checker.statement(stmt),
            Some(ASTNode::Expr(expr)) => checker.expression(expr),
            _ => {}
        }
        true
    });
    checker.value(ast);
    checker.fields(ast, entity);
    let mut faults = checker.faults;
    faults.sort_by_key(|fault| (fault.place().line, fault.place().column));
    faults.dedup_by(|a, b| a.place() == b.place() && a.code() == b.code());
    faults
}

/// Functions of a script whose names only those of its modules may have.
pub(crate) fn joint_names(linked: &Linked, ast: &AST) -> Vec<Fault> {
    let joint = |function: &rhai::ScriptFnMetadata<'_>| function.name.contains(JOINT);
    let fault = |function: rhai::ScriptFnMetadata<'_>| {
        let body = ast.shared_lib().get_script_fn(function.name, function.params.len());
        let at = body.map_or(Position::NONE, |function| function.body.start_position());
        let (line, column) = key(at);
        let (source, line, column) = linked.resolve(line.max(1), column.max(1));
        let message = format!("`{}` could be the function of a module", function.name);
        Fault::at(source, (line, column), "mapping::taken", message)
            .help("give it a name without two underscores in a row")
    };
    ast.iter_functions().filter(joint).map(fault).collect()
}

/// The fields that no layer sets although every draft needs them.
pub(crate) fn unset(source: &Source, set: &[&str], entity: Entity) -> Vec<Fault> {
    schema::fields(entity)
        .iter()
        .filter(|field| field.need == schema::Need::Required)
        .filter(|field| field.name != "external_id" && !set.contains(&field.name))
        .map(|field| {
            Fault::of(
                source,
                None,
                "mapping::missing_field",
                format!("the mapping never sets `{}`, which every {entity} needs", field.name),
            )
            .help(format!("add a line `{}: ..,`", field.name))
        })
        .collect()
}

/// The functions that a script defines itself, with their number of parameters.
fn own_functions(ast: &AST) -> Vec<(String, usize)> {
    ast.iter_functions()
        .filter(|function| !function.name.starts_with("anon$"))
        .map(|function| (function.name.to_owned(), function.params.len()))
        .collect()
}

struct Checker<'a> {
    linked: &'a Linked,
    tables: &'a Tables,
    own: Vec<(String, usize)>,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn fault(&self, at: Position, code: &'static str, message: impl Into<String>) -> Fault {
        let (line, column) = key(at);
        let (source, line, column) = self.linked.resolve(line.max(1), column.max(1));
        Fault::at(source, (line, column), code, message)
    }

    fn push(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn functions(&mut self, ast: &AST) {
        for function in ast.iter_functions() {
            let anonymous = function.name.starts_with("anon$");
            let at = ast
                .shared_lib()
                .get_script_fn(function.name, function.params.len())
                .map_or(Position::NONE, |function| function.body.start_position());
            if !anonymous && library::function(function.name).is_some() {
                let fault = self.fault(
                    at,
                    "mapping::taken",
                    format!("`{}` is a function of the library", function.name),
                );
                self.push(fault.help("give the script's own function another name"));
            }
            for parameter in function.params.iter().filter(|_| !anonymous) {
                self.name(parameter, at);
            }
        }
    }

    /// A name that the script defines.
    fn name(&mut self, name: &str, at: Position) {
        if name == RECORD || name == ZONE {
            let fault =
                self.fault(at, "mapping::taken", format!("`{name}` cannot be defined again"));
            self.push(fault.help("choose another name"));
        }
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Var(parts, ..) => self.name(&parts.0.name, parts.0.pos),
            Stmt::For(parts, ..) => {
                self.name(&parts.0.name, parts.0.pos);
                if let Some(counter) = &parts.1 {
                    self.name(&counter.name, counter.pos);
                }
            }
            Stmt::Assignment(parts) => self.assignment(&parts.1.lhs),
            Stmt::FnCall(call, at) => self.call(call, *at, false),
            Stmt::Import(_, at) | Stmt::Export(_, at) => self.modules(*at),
            _ => {}
        }
    }

    fn modules(&mut self, at: Position) {
        let fault = self.fault(at, "mapping::forbidden", "a mapping has no modules");
        self.push(fault.help("define what is needed in the script"));
    }

    fn assignment(&mut self, target: &Expr) {
        if let Expr::Variable(name, ..) = target {
            self.name(&name.1, target.start_position());
            return;
        }
        let fault = self.fault(
            target.start_position(),
            "mapping::in_place",
            "a mapping does not change an object or a list in place",
        );
        self.push(fault.label("this would be changed").help(
            "write the object or list as one literal, `#{ .. }` or `[ .. ]`, or use `map` and `filter`",
        ));
    }

    fn expression(&mut self, expr: &Expr) {
        match expr {
            Expr::FnCall(call, at) => self.call(call, *at, false),
            Expr::MethodCall(call, at) => self.call(call, *at, true),
            Expr::Variable(name, _, at) if !name.2.is_empty() => self.modules(*at),
            Expr::Custom(_, at) => {
                let fault =
                    self.fault(*at, "mapping::forbidden", "a mapping has no syntax of its own");
                self.push(fault);
            }
            _ => {}
        }
    }

    fn call(&mut self, call: &FnCallExpr, at: Position, method: bool) {
        let name = call.name.as_str();
        let shown = self.linked.shown(name);
        let count = call.args.len() + usize::from(method);
        if call.is_qualified() {
            return self.modules(at);
        }
        if call.is_operator_call() || is_capture(call) {
            return;
        }
        if method && self.own.iter().any(|(own, _)| own == name) {
            let fault = self.fault(
                at,
                "mapping::arguments",
                format!("the script's function `{shown}` cannot be called with a dot"),
            );
            return self.push(fault.help(format!("write `{shown}(..)`")));
        }
        if self.own.iter().any(|(own, parameters)| own == name && *parameters == count) {
            return;
        }
        if let Some(function) = library::function(name) {
            self.library_call(function, call, at, (method, count));
            return;
        }
        let fault = if self.own.iter().any(|(own, _)| own == name) {
            self.fault(
                at,
                "mapping::arguments",
                format!("the script's function `{shown}` does not take {count} arguments"),
            )
        } else {
            let names = library::functions().map(|function| function.name);
            let names = names.chain(self.own.iter().map(|(own, _)| own.as_str()));
            let fault = self.fault(
                at,
                "mapping::unknown_function",
                format!("there is no function `{shown}`"),
            );
            match schema::nearest(name, names) {
                Some(near) => fault.help(format!("did you mean `{}`?", self.linked.shown(near))),
                None => fault.help("`rollcall mapping functions` lists what a mapping can call"),
            }
        };
        self.push(fault.label("called here"));
    }

    fn library_call(
        &mut self,
        function: &Function,
        call: &FnCallExpr,
        at: Position,
        (method, count): (bool, usize),
    ) {
        if !(function.least..=function.most).contains(&count) {
            let fault = self.fault(
                at,
                "mapping::arguments",
                format!("`{}` does not take {count} arguments", function.name),
            );
            self.push(fault.help(format!("write it as `{}`", function.usage)));
            return;
        }
        let literal = match call.args.first() {
            Some(Expr::StringConstant(text, at)) if !method => Some((text.as_str(), *at)),
            _ => None,
        };
        match (function.name, literal) {
            ("lookup", Some((table, at))) if self.tables.table(table).is_none() => {
                let fault = self.fault(
                    at,
                    "mapping::unknown_table",
                    format!("`tables.yaml` has no table `{table}`"),
                );
                let fault = match schema::nearest(table, self.tables.names()) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help("add the table to `tables.yaml`"),
                };
                self.push(fault);
            }
            ("id", Some((kind, at))) if Entity::parse(kind).is_none() => {
                let names = Entity::ALL.map(Entity::name);
                let fault =
                    self.fault(at, "mapping::kind", format!("there is no kind of record `{kind}`"));
                self.push(fault.help(match schema::nearest(kind, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("use one of: {}", names.join(", ")),
                }));
            }
            _ => {}
        }
    }

    /// The last statement has to give a value.
    fn value(&mut self, ast: &AST) {
        let gives = ast.statements().last().is_some_and(|last| {
            matches!(
                last,
                Stmt::Expr(_)
                    | Stmt::If(..)
                    | Stmt::Switch(..)
                    | Stmt::Block(_)
                    | Stmt::FnCall(..)
                    | Stmt::Return(..)
            )
        });
        if !gives {
            let at = ast.statements().last().map_or(Position::NONE, Stmt::position);
            let fault =
                self.fault(at, "mapping::no_value", "the script does not end with its value");
            self.push(fault.help("end it with the fields: `#{ display_name: record.name, .. }`"));
        }
    }

    /// The properties of the map literal against the schema.
    fn fields(&mut self, ast: &AST, entity: Entity) {
        for (name, value) in literal(ast).unwrap_or_default() {
            let Some(field) = schema::field(entity, name.as_str()) else {
                let names = schema::fields(entity).iter().map(|field| field.name);
                let fault = self.fault(
                    name.pos,
                    "mapping::unknown_field",
                    format!("{entity} has no field `{}`", name.name),
                );
                self.push(match schema::nearest(name.as_str(), names) {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help(format!("`rollcall schema {entity}` lists the fields; the tenant's own go under `custom: #{{ .. }}`")),
                });
                continue;
            };
            if let FieldType::Enum(words) = field.ty {
                self.words(field.name, words, value);
            }
        }
    }

    /// The literals that a field can take, in every branch, against the words of its type.
    fn words(&mut self, field: &str, words: &[&str], value: &Expr) {
        match value {
            Expr::StringConstant(text, at) if !words.contains(&text.as_str()) => {
                let fault =
                    self.fault(*at, "mapping::word", format!("`{field}` cannot be \"{text}\""));
                self.push(fault.help(match schema::nearest(text, words.iter().copied()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("use one of: {}", words.join(", ")),
                }));
            }
            Expr::Coalesce(parts, _) => {
                for part in parts.iter() {
                    self.words(field, words, part);
                }
            }
            Expr::Stmt(block) => self.last_words(field, words, block.statements()),
            _ => {}
        }
    }

    fn last_words(&mut self, field: &str, words: &[&str], block: &[Stmt]) {
        match block.last() {
            Some(Stmt::Expr(value)) => self.words(field, words, value),
            Some(Stmt::Block(inner)) => self.last_words(field, words, inner.statements()),
            Some(Stmt::If(parts, _)) => {
                self.last_words(field, words, parts.body.statements());
                self.last_words(field, words, parts.branch.statements());
            }
            Some(Stmt::Switch(parts, _)) => {
                for case in &parts.1.expressions {
                    self.words(field, words, &case.rhs);
                }
            }
            _ => {}
        }
    }
}

/// Whether a call is what the parser makes of a closure that captures variables.
fn is_capture(call: &FnCallExpr) -> bool {
    call.name == "curry"
        && call.args.first().is_some_and(|first| match first {
            Expr::DynamicConstant(value, _) => value.is_fnptr(),
            _ => false,
        })
}
