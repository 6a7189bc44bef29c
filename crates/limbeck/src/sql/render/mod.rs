//! A query as SQL text. Runs once for each shape; what a running query costs is in `shape`.

mod select;

use super::compile::Wanted;
use super::node::{ColumnRef, DerivedColumn, Node};
use super::op::{Level, Op, Piece, Spelling, pieces};
use crate::dialect::Dialect;
use crate::driver::Param;
use crate::error::{Error, Result};
use crate::model::ModelDef;
use crate::types::Kind;

/// A statement while it is written.
pub(crate) struct Renderer {
    pub(crate) dialect: Dialect,
    pub(crate) sql: String,
    pub(crate) params: Vec<Param>,
    /// The first thing that the database has no spelling for.
    refusal: Option<Error>,
}

impl Renderer {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Renderer { dialect, sql: String::with_capacity(128), params: Vec::new(), refusal: None }
    }

    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(crate) fn ident(&mut self, ident: &str) -> &mut Self {
        self.dialect.write_ident(&mut self.sql, ident);
        self
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
        match self.dialect {
            Dialect::Sqlite => self.sql.push('?'),
            Dialect::Postgres => {
                self.sql.push('$');
                self.sql.push_str(&self.params.len().to_string());
            }
        }
        self
    }

    /// A placeholder for an array (PostgreSQL).
    pub(crate) fn array_param(&mut self, kind: Kind) -> &mut Self {
        self.placeholder(Param::Many(kind))
    }

    /// ` IN (a list in one parameter)`, after what is looked for.
    pub(crate) fn in_list(&mut self, kind: Kind, negated: bool) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => {
                self.push(if negated { " NOT IN" } else { " IN" }).push(" (SELECT value FROM json_each(");
                self.array_param(kind).push("))")
            }
            Dialect::Postgres => self.push(if negated { " <> ALL(" } else { " = ANY(" }).array_param(kind).push(")"),
        }
    }

    /// All columns of a model, separated by commas.
    pub(crate) fn columns(&mut self, model: &'static ModelDef, qualifier: &str) -> &mut Self {
        for (index, column) in model.columns.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.qualified(qualifier, column.name);
        }
        self
    }

    fn column(&mut self, column: &ColumnRef) -> &mut Self {
        let name = column.model.columns[usize::from(column.index)].name;
        self.qualified(column.source().name(), name)
    }

    pub(crate) fn node(&mut self, node: &Node) -> &mut Self {
        match node {
            Node::Column(column) => self.column(column),
            Node::Bind(_, kind) => self.param(*kind),
            Node::Binary(operator, sides) => {
                self.operand(&sides.0, Level::Compare).push(" ").push(operator).push(" ");
                self.operand(&sides.1, Level::Compare)
            }
            Node::And(parts) => self.parts(parts, " AND "),
            Node::Or(parts) => self.parts(parts, " OR "),
            Node::Not(inner) => self.push("NOT ").inner(inner),
            Node::IsNull(inner, negated) => self.inner(inner).push(if *negated { " IS NOT NULL" } else { " IS NULL" }),
            Node::InValues { item, kind, negated, .. } => self.inner(item).in_list(*kind, *negated),
            Node::InList { item, list, negated } => {
                self.inner(item).push(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list).push(")")
            }
            Node::CountAll => self.push("count(*)"),
            Node::Call(name, arguments) => self.push(name).push("(").list(arguments).push(")"),
            Node::Op(op, operands) => self.op(op, operands),
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

    fn list(&mut self, nodes: &[Node]) -> &mut Self {
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
    fn refuse(&mut self, what: &str, why: &str) -> &mut Self {
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
    fn inner(&mut self, node: &Node) -> &mut Self {
        match node {
            node if level(node) == Level::Atom => self.node(node),
            _ => self.push("(").node(node).push(")"),
        }
    }
}

/// How tightly an expression holds together.
fn level(node: &Node) -> Level {
    match node {
        Node::Column(_) | Node::Bind(..) | Node::CountAll | Node::Call(..) => Level::Atom,
        Node::Derived(_) | Node::Scalar(_) | Node::Exists(_) => Level::Atom,
        Node::Binary(..) | Node::IsNull(..) | Node::InValues { .. } | Node::InList { .. } => Level::Compare,
        Node::InQuery { .. } => Level::Compare,
        Node::Not(_) => Level::Not,
        Node::And(_) => Level::And,
        Node::Or(_) => Level::Or,
        Node::Op(op, _) => op.level,
    }
}
