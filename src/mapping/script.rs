//! One script: its text, its syntax tree, and what can be read off it without running it.
//!
//! Not here: what is allowed in a script (`check`) and how it runs (`interpret`, `compiled`). The invariant: a
//! [`Script`] that exists has passed every check.

use std::sync::Arc;

use rhai::{AST, Engine, Expr, ParseErrorType, Position, Scope, Stmt};

use super::check;
use super::fault::{Fault, Source};
use super::library;
use super::linked::Linked;
use super::tables::Tables;
use super::unshare::unshare;
use crate::model::entity::Entity;
use crate::model::schema;
use crate::port::mapper::Place;

/// The variable that holds the source object.
pub(crate) const RECORD: &str = "record";
/// The variable that holds the tenant's zone.
pub(crate) const ZONE: &str = "tz";

/// A checked script.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) source: Arc<Source>,
    /// The text that was compiled, and where it comes from.
    pub(crate) linked: Linked,
    pub(crate) ast: AST,
    /// The properties of the map literal that is the script's value; `None` when its value is built otherwise.
    pub(crate) properties: Option<Vec<Property>>,
}

/// One property of the map literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) at: Position,
}

/// Whether a script stands alone or on top of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It sets every required field.
    Base,
    /// It overrides single fields.
    Layer,
}

/// The scope that every script is compiled in and evaluated with.
pub(crate) fn scope(record: rhai::Dynamic, zone: &str) -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push_dynamic(RECORD, record);
    scope.push(ZONE, zone.to_owned());
    scope
}

impl Script {
    /// Compiles and checks a script that imports nothing. `None` for a layer in which nothing is written.
    #[cfg(test)]
    pub(crate) fn compile(
        engine: &Engine,
        source: &Arc<Source>,
        entity: Entity,
        role: Role,
        tables: &Tables,
    ) -> Result<Option<Self>, Vec<Fault>> {
        Self::compile_linked(engine, (source, Linked::plain(source)), entity, role, tables)
    }

    /// Compiles and checks a script with the modules that it imports.
    pub(crate) fn compile_linked(
        engine: &Engine,
        (source, linked): (&Arc<Source>, Linked),
        entity: Entity,
        role: Role,
        tables: &Tables,
    ) -> Result<Option<Self>, Vec<Fault>> {
        let mut ast = Self::parse(engine, &linked)?;
        if role == Role::Layer && ast.statements().iter().all(Stmt::is_noop) {
            return Ok(None);
        }
        if !linked.functions.is_empty() {
            let taken = check::joint_names(&linked, &ast);
            if !taken.is_empty() {
                return Err(taken);
            }
            let functions = engine.compile(&linked.functions);
            ast.combine(functions.map_err(|error| vec![syntax(&linked, &error)])?);
        }
        let faults = check::check(&linked, &ast, entity, tables);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut ast = unshare(&ast);
        ast.set_source(source.name.as_str());
        let properties = literal(&ast).map(|entries| {
            entries
                .iter()
                .map(|(name, _)| Property { name: name.name.to_string(), at: name.pos })
                .collect()
        });
        Ok(Some(Self { source: Arc::clone(source), linked, ast, properties }))
    }

    /// The syntax tree of a script without its modules.
    pub(crate) fn parse(engine: &Engine, linked: &Linked) -> Result<AST, Vec<Fault>> {
        let names = scope(rhai::Dynamic::UNIT, "");
        engine
            .compile_with_scope(&names, &linked.script)
            .map_err(|error| vec![syntax(linked, &error)])
    }

    /// The property whose expression holds a position, when the value is a map literal.
    pub(crate) fn property_at(&self, at: Position) -> Option<&Property> {
        let properties = self.properties.as_deref()?;
        properties.iter().rfind(|property| key(property.at) <= key(at))
    }

    /// The place of a property by name.
    pub(crate) fn place_of(&self, field: &str) -> Option<Place> {
        let properties = self.properties.as_deref()?;
        let property = properties.iter().find(|property| property.name == field)?;
        self.place(property.at)
    }

    /// A position as a place for people.
    pub(crate) fn place(&self, at: Position) -> Option<Place> {
        let (source, line, column) = self.linked.resolve(at.line()?, at.position().unwrap_or(1));
        Some(source.place(line, column))
    }
}

/// Positions in the order of the text.
pub(crate) fn key(at: Position) -> (usize, usize) {
    (at.line().unwrap_or(0), at.position().unwrap_or(0))
}

/// The entries of the map literal that is the value of a script.
pub(crate) fn literal(ast: &AST) -> Option<&[(rhai::Ident, Expr)]> {
    match ast.statements().last()? {
        Stmt::Expr(value) => match &**value {
            Expr::Map(entries, _) => Some(&entries.0),
            _ => None,
        },
        _ => None,
    }
}

fn syntax(linked: &Linked, error: &rhai::ParseError) -> Fault {
    let (source, line, column) = match key(error.position()) {
        (0, _) => linked.resolve(linked.script.lines().count().max(1), 1),
        (line, column) => linked.resolve(line, column.max(1)),
    };
    let fault = |code, message: String| Fault::at(source, (line, column), code, message);
    match error.err_type() {
        ParseErrorType::VariableUndefined(name) => {
            let fault = fault("mapping::unknown_variable", format!("there is no variable `{name}`"))
                .label("not known here");
            let names = [RECORD, ZONE].into_iter();
            match schema::nearest(name, names.chain(library::functions().map(|f| f.name))) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("a script sees `record`, `tz` and what it defines itself with `let` before; text stands in quotes"),
            }
        }
        ParseErrorType::BadInput(rhai::LexError::ImproperSymbol(symbol, _)) => {
            fault("mapping::forbidden", format!("`{symbol}` has no place in a mapping"))
                .help("a mapping only turns `record` into fields; `rollcall mapping functions` lists what it can call")
        }
        ParseErrorType::DuplicatedProperty(name) => {
            fault("mapping::duplicate", format!("the field `{name}` is set twice"))
                .help("keep one of the two")
        }
        ParseErrorType::ExprTooDeep => {
            fault("mapping::depth", "the expression has too many levels".to_owned())
                .help("split it with `let`")
        }
        ParseErrorType::UnexpectedEOF => {
            fault("mapping::syntax", "the script ends too early".to_owned())
                .help("look for a bracket or a brace that is not closed")
        }
        other => fault("mapping::syntax", plain(&other.to_string()))
            .help("look for a missing comma, bracket or quote just before this place"),
    }
}

/// A message of the parser in house style: lower case, no full stop.
fn plain(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let mut letters = message.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => "the script cannot be read".to_owned(),
    }
}
