//! A query as SQL text. Runs once for each shape; what a running query costs is in `shape`.

mod select;
mod write;

use super::compile::Wanted;
use super::keys::in_keys;
use super::node::{ColumnRef, DerivedColumn, Node, Source};
use super::op::{Level, Op, Piece, Spelling, pieces};
use super::share::{self, Sharing};
use crate::dialect::Dialect;
use crate::driver::Param;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::schema::SqlType;
use crate::types::{Kind, Value};

/// A statement while it is written.
pub(crate) struct Renderer {
    pub(crate) dialect: Dialect,
    pub(crate) sql: String,
    pub(crate) params: Vec<Param>,
    /// Whether what is written stands beside a column that keeps UUIDs as text.
    uuids_as_text: bool,
    /// The first thing that the database has no spelling for.
    refusal: Option<Error>,
    /// The deferred columns that the next query fetches behind all others.
    undefer: Vec<ColumnRef>,
    /// A table that is called by its own name, although it has another one.
    unaliased: Option<Source>,
    /// The values that equal ones share a placeholder with, where that is so.
    pub(in crate::sql) sharing: Sharing<Shared>,
}

/// A value, or the values of a list, and their placeholder.
pub(in crate::sql) struct Shared {
    values: Vec<Value<'static>>,
    param: Param,
    number: usize,
}

impl Renderer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Renderer {
            dialect,
            sql: String::with_capacity(128),
            params: Vec::new(),
            uuids_as_text: false,
            refusal: None,
            undefer: Vec::new(),
            unaliased: None,
            sharing: Sharing::none(),
        }
    }

    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(crate) fn ident(&mut self, ident: &str) -> &mut Self {
        self.dialect.write_ident(&mut self.sql, ident);
        self
    }

    /// A model's table, with its schema. Its columns are qualified with the bare name, which a database knows it by
    /// from then on.
    pub(crate) fn table_of(&mut self, model: &ModelDef) -> &mut Self {
        self.table_in(model.options.schema, model.table)
    }

    /// A table of a schema.
    pub(crate) fn table_in(&mut self, schema: Option<&str>, table: &str) -> &mut Self {
        self.dialect.write_table(&mut self.sql, schema, table);
        self
    }

    /// The name that columns of a table are qualified with.
    pub(super) fn name_of(&self, source: &Source) -> &'static str {
        if self.unaliased.is_some_and(|target| target.same(source)) { source.model.table } else { source.name() }
    }

    /// `table.column`
    pub(crate) fn qualified(&mut self, table: &str, column: &str) -> &mut Self {
        self.ident(table).push(".").ident(column)
    }

    /// A placeholder for one value.
    pub(crate) fn param(&mut self, kind: Kind) -> &mut Self {
        self.placeholder(Param::One(kind))
    }

    fn placeholder(&mut self, param: Param) -> &mut Self {
        self.params.push(param);
        self.numbered(self.params.len(), param)
    }

    fn numbered(&mut self, number: usize, param: Param) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self.sql.push('?'),
            Dialect::Postgres => {
                self.sql.push('$');
                self.sql.push_str(&number.to_string());
                self.named(param);
            }
        }
        self
    }

    /// A placeholder for these values: a new one, or that of equal values that share it.
    fn placeholder_of(&mut self, values: &[Value<'static>], param: Param) -> &mut Self {
        let Some(shared) = self.sharing.met() else { return self.placeholder(param) };
        let known = shared.iter().find(|known| known.param == param && share::same_list(&known.values, values));
        if let Some(number) = known.map(|known| known.number) {
            return self.numbered(number, param);
        }
        shared.push(Shared { values: values.to_vec(), param, number: self.params.len() + 1 });
        self.placeholder(param)
    }

    /// The cast to a type that only the database knows: `::text::post_status`, for one value or for an array.
    fn named(&mut self, param: Param) {
        let (name, many) = match param {
            Param::One(Kind::Named(name)) => (name, false),
            Param::Many(Kind::Named(name)) => (name, true),
            Param::One(Kind::Array(Kind::Named(name))) => (*name, true),
            _ => return,
        };
        let brackets = if many { "[]" } else { "" };
        self.push("::text").push(brackets).push("::").ident(name).push(brackets);
    }

    /// A placeholder for an array (PostgreSQL). Its elements are of the kind, except that arrays travel as text, since
    /// PostgreSQL would take an array of arrays for a table: see [`unpacked`](Self::unpacked).
    pub(crate) fn array_param(&mut self, kind: Kind) -> &mut Self {
        self.placeholder(Param::Many(kind))
    }

    /// What stands after a column that an [`array_param`](Self::array_param) gave, to make it a value of its kind.
    pub(crate) fn unpacked(&mut self, kind: Kind) -> &mut Self {
        let Kind::Array(element) = kind else { return self };
        self.push("::");
        match element {
            Kind::Named(name) => self.ident(name),
            other => self.push(type_of_element(other)),
        };
        self.push("[]")
    }

    /// ` IN (a list in one parameter)`, after what is looked for.
    pub(crate) fn in_list(&mut self, kind: Kind, negated: bool) -> &mut Self {
        self.list_of(None, kind, negated)
    }

    /// The same for values that are known, which may share the placeholder of others.
    fn list_of(&mut self, values: Option<&[Value<'static>]>, kind: Kind, negated: bool) -> &mut Self {
        let list = |renderer: &mut Self| match values {
            Some(values) => {
                renderer.placeholder_of(values, Param::Many(kind));
            }
            None => {
                renderer.array_param(kind);
            }
        };
        match (self.dialect, kind) {
            (Dialect::Sqlite, kind) => {
                // JSON has no bytes: they travel in hexadecimal digits.
                let value = if matches!(kind, Kind::Bytes | Kind::Uuid) { "unhex(value)" } else { "value" };
                self.push(if negated { " NOT IN" } else { " IN" }).push(" (SELECT ").push(value);
                list(self.push(" FROM json_each("));
                self.push("))")
            }
            (Dialect::Postgres, Kind::Array(_)) => {
                self.push(if negated { " NOT IN" } else { " IN" }).push(" (SELECT value").unpacked(kind);
                list(self.push(" FROM unnest("));
                self.push(") AS listed(value))")
            }
            (Dialect::Postgres, _) => {
                list(self.push(if negated { " <> ALL(" } else { " = ANY(" }));
                self.push(")")
            }
        }
    }

    /// All columns of a model, separated by commas.
    pub(crate) fn columns(&mut self, model: &'static ModelDef, qualifier: &str) -> &mut Self {
        for (index, column) in model.fetched().iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.qualified(qualifier, column.name);
        }
        self
    }

    fn column(&mut self, column: &ColumnRef) -> &mut Self {
        let name = column.model.columns[usize::from(column.index)].name;
        let table = self.name_of(&column.source());
        self.qualified(table, name)
    }

    pub(crate) fn node(&mut self, node: &Node) -> &mut Self {
        // A UUID is bound as the column beside it keeps it, which only SQLite's driver has to know.
        let around = self.uuids_as_text;
        self.uuids_as_text |= self.dialect == Dialect::Sqlite && has_text_uuid(node);
        self.plain_node(node);
        self.uuids_as_text = around;
        self
    }

    /// The kind as which a value is bound here.
    fn bound(&self, kind: Kind) -> Kind {
        if kind == Kind::Uuid && self.uuids_as_text { Kind::UuidText } else { kind }
    }

    fn plain_node(&mut self, node: &Node) -> &mut Self {
        match node {
            Node::Column(column) => self.column(column),
            Node::Bind(value, kind) => self.placeholder_of(std::slice::from_ref(value), Param::One(self.bound(*kind))),
            Node::Binary(operator, sides) => {
                self.operand(&sides.0, Level::Compare).push(" ").push(operator).push(" ");
                self.operand(&sides.1, Level::Compare)
            }
            Node::And(parts) => self.parts(parts, " AND "),
            Node::Or(parts) => self.parts(parts, " OR "),
            Node::Not(inner) => self.push("NOT ").inner(inner),
            Node::IsNull(inner, negated) => self.inner(inner).push(if *negated { " IS NOT NULL" } else { " IS NULL" }),
            Node::InValues { item, values, kind, negated } => {
                let kind = self.bound(*kind);
                self.inner(item).list_of(Some(values), kind, *negated)
            }
            Node::InKeys(keys) => {
                let columns: Vec<(&str, &str, Kind)> = keys.columns.iter().map(ColumnRef::spelled).collect();
                in_keys(self, &columns);
                self
            }
            Node::InList { item, list, negated } => {
                self.inner(item).push(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list).push(")")
            }
            Node::Op(op, operands) => self.op(op, operands),
            Node::Form(form) => self.form(form),
            Node::Derived(column) => self.derived_column(column),
            Node::Scalar(query) => self.push("(").inner_query(&query.0, Wanted::Rows).push(")"),
            Node::Exists(query) => self.push("EXISTS (").inner_query(&query.0, Wanted::Exists).push(")"),
            Node::InQuery { item, query, negated } => {
                self.inner(item).push(if *negated { " NOT IN (" } else { " IN (" });
                self.inner_query(&query.0, Wanted::Rows).push(")")
            }
        }
    }

    fn derived_column(&mut self, column: &DerivedColumn) -> &mut Self {
        match column.of.columns.get(column.index) {
            Some(output) => self.qualified(column.of.name, &output.name),
            None => self,
        }
    }

    pub(super) fn list(&mut self, nodes: &[Node]) -> &mut Self {
        for (index, node) in nodes.iter().enumerate() {
            self.push(if index > 0 { ", " } else { "" }).node(node);
        }
        self
    }

    fn parts(&mut self, parts: &[Node], between: &str) -> &mut Self {
        for (index, part) in parts.iter().enumerate() {
            self.push(if index > 0 { between } else { "" });
            match part {
                Node::And(_) | Node::Or(_) => self.push("(").node(part).push(")"),
                _ => self.node(part),
            };
        }
        self
    }

    fn op(&mut self, op: &'static Op, operands: &[Node]) -> &mut Self {
        let pattern = match op.spelling(self.dialect) {
            Spelling::Pattern(pattern) => pattern,
            Spelling::Missing(why) => return self.refuse(op.name, why),
        };
        self.pattern(op, pattern, operands)
    }

    /// The pattern of an operator, or a part of it.
    pub(super) fn pattern(&mut self, op: &'static Op, pattern: &'static str, operands: &[Node]) -> &mut Self {
        for piece in pieces(pattern) {
            match piece {
                Piece::Text(text) => self.push(text),
                Piece::Rest(from) => self.list(operands.get(from..).unwrap_or_default()),
                Piece::Operand(index) => match operands.get(index) {
                    Some(first) if index == 0 && op.level.leans_left() && level(first) == op.level => self.node(first),
                    Some(operand) => self.operand(operand, op.level),
                    None => self,
                },
            };
        }
        self
    }

    /// Remembers why the statement cannot be written, when something says so.
    fn note(&mut self, outcome: Result<()>) -> &mut Self {
        if let Err(error) = outcome {
            self.refusal.get_or_insert(error);
        }
        self
    }

    /// Remembers that the statement cannot be written; it is [`finish`](Self::finish) that says so.
    #[cold]
    pub(crate) fn refuse(&mut self, what: &str, why: &str) -> &mut Self {
        let database = self.dialect.name();
        self.refusal.get_or_insert_with(|| Error::Statement(format!("{what} cannot be used on {database}: {why}")));
        self
    }

    /// Says whether the statement could be written.
    ///
    /// # Errors
    /// [`Error::Statement`] when it has something that the database lacks.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.refusal.take().map_or(Ok(()), Err)
    }

    /// An operand of an operator of that level.
    fn operand(&mut self, node: &Node, around: Level) -> &mut Self {
        if around == Level::Atom || level(node) > around {
            self.node(node)
        } else {
            self.push("(").node(node).push(")")
        }
    }

    /// An operand: in parentheses unless it cannot be misread without.
    pub(super) fn inner(&mut self, node: &Node) -> &mut Self {
        match node {
            node if level(node) == Level::Atom => self.node(node),
            _ => self.push("(").node(node).push(")"),
        }
    }
}

/// Whether one of the direct operands is a column that keeps UUIDs as text.
fn has_text_uuid(node: &Node) -> bool {
    let is = |node: &Node| match node {
        Node::Column(column) => {
            matches!(column.model.columns[usize::from(column.index)].sql_type, SqlType::Uuid { text: true })
        }
        _ => false,
    };
    match node {
        Node::Binary(_, sides) => is(&sides.0) || is(&sides.1),
        Node::InValues { item, .. } => is(item),
        Node::InList { item, list, .. } => is(item) || list.iter().any(is),
        Node::Op(_, operands) => operands.iter().any(is),
        Node::Form(form) => {
            let mut found = false;
            form.children(&mut |node| found |= is(node));
            found
        }
        _ => false,
    }
}

/// What PostgreSQL calls the elements of an array.
pub(super) fn type_of_element(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::I16 => "int2",
        Kind::I32 => "int4",
        Kind::I64 => "int8",
        Kind::F32 => "float4",
        Kind::F64 => "float8",
        Kind::Bytes => "bytea",
        Kind::DateTime => "timestamptz",
        Kind::Timestamp => "timestamp",
        Kind::Date => "date",
        Kind::Time => "time",
        Kind::Decimal => "numeric",
        Kind::Uuid | Kind::UuidText => "uuid",
        Kind::Json => "jsonb",
        Kind::Interval => "interval",
        // An array in an array cannot be declared: see `types::Element`.
        Kind::Text | Kind::Named(_) | Kind::Array(_) => "text",
    }
}

/// How tightly an expression holds together.
fn level(node: &Node) -> Level {
    match node {
        Node::Column(_) | Node::Bind(..) => Level::Atom,
        Node::Derived(_) | Node::Scalar(_) | Node::Exists(_) => Level::Atom,
        Node::Binary(..) | Node::IsNull(..) | Node::InValues { .. } | Node::InList { .. } => Level::Compare,
        Node::InQuery { .. } | Node::InKeys(_) => Level::Compare,
        Node::Not(_) => Level::Not,
        Node::And(_) => Level::And,
        Node::Or(_) => Level::Or,
        Node::Op(op, _) => op.level,
        Node::Form(form) => form.level(),
    }
}
