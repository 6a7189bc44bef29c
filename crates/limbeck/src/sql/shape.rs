//! The shape of a query: the tree without its values, as bytes, and its values beside it.
//!
//! Queries of one shape render to the same SQL with parameters of the same kinds; the statement cache
//! compares whole shapes, so a hash collision can never run the wrong statement. Making a shape is a walk
//! that writes a few bytes a node, which is what a query costs when its statement is known.

use super::compile::Wanted;
use super::node::{Node, Source};
use super::op::{Op, Piece, Spelling, pieces};
use super::select::{Projection, SelectCore};
use crate::dialect::Dialect;
use crate::driver::Bind;
use crate::types::Value;

/// Whether OFFSET is a parameter. LIMIT never is: the plan depends on it, and SQLite would make it anew each
/// time when it is bound. The same goes for OFFSET there; PostgreSQL need not prepare each page.
pub(super) fn offset_is_bound(dialect: Dialect) -> bool {
    dialect == Dialect::Postgres
}

/// Statements that are not built from a query have shapes of their own kinds.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum ShapeKind {
    Select = 1,
    Raw,
    Get,
    Insert,
    Update,
    Delete,
    LoadMany,
    LoadOne,
    LoadAssociated,
    LinkInsert,
    LinkDelete,
    LinkDeleteAll,
    Nullify,
    LoadColumn,
}

/// A shape while it is written.
pub(crate) struct Shape<'q> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) binds: Vec<Bind<'q>>,
}

impl<'q> Shape<'q> {
    pub(crate) fn new(kind: ShapeKind) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(kind as u8);
        Shape { bytes, binds: Vec::new() }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    fn short(&mut self, number: usize) {
        self.bytes.extend_from_slice(&(number as u32).to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.short(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn source(&mut self, source: &Source) {
        self.short(source.model.id.get());
        match source.alias {
            None => self.byte(0),
            Some(alias) => {
                self.byte(1);
                self.text(alias);
            }
        }
    }

    pub(crate) fn select(&mut self, select: &'q SelectCore, wanted: Wanted, dialect: Dialect) {
        self.byte(match wanted {
            Wanted::Rows | Wanted::First | Wanted::One => 1,
            Wanted::Count => 2,
            Wanted::Exists => 3,
        });
        let whole = wanted.is_rows() || select.is_aggregate();
        self.short(select.projection.len());
        for item in &select.projection {
            match item {
                Projection::Model(source) => {
                    self.byte(1);
                    self.source(source);
                }
                Projection::Node(node) if whole => {
                    self.byte(2);
                    self.node(node, dialect);
                }
                Projection::Node(node) => {
                    self.byte(3);
                    self.tables(node);
                }
            }
        }
        self.short(select.undefer.len());
        for column in &select.undefer {
            self.source(&column.source());
            self.short(usize::from(column.index));
        }
        match &select.from {
            None => self.byte(0),
            Some(source) => {
                self.byte(1);
                self.source(source);
            }
        }
        self.short(select.joins.len());
        for join in &select.joins {
            self.source(&join.from);
            self.short(join.relation);
            self.source(&join.to);
        }
        self.nodes(&select.filter, dialect);
        if wanted.is_rows() {
            self.orders(&select.order_by, dialect);
        } else {
            select.order_by.iter().for_each(|order| self.tables(&order.node));
        }
        let (limit, offset) = select.bounds(wanted);
        self.bound(limit);
        match offset {
            Some(rows) if offset_is_bound(dialect) => {
                self.byte(2);
                self.binds.push(Bind::One(Value::I64(rows as i64)));
            }
            _ => self.bound(offset),
        }
    }

    /// An expression that is not rendered, so that its values are not bound either. Its tables are checked, though:
    /// a query that cannot be run cannot be counted.
    fn tables(&mut self, node: &Node) {
        node.columns(&mut |column| {
            self.byte(1);
            self.source(&column.source());
        });
        self.byte(0);
    }

    fn bound(&mut self, rows: Option<u64>) {
        match rows {
            None => self.byte(0),
            Some(rows) => {
                self.byte(1);
                self.number(rows);
            }
        }
    }

    /// The operands in the order, and as often, as they are written, so that their values are bound likewise.
    pub(super) fn op(&mut self, op: &'static Op, operands: &'q [Node], dialect: Dialect) {
        // An operator is its static: it has an address of its own.
        self.number(std::ptr::from_ref(op).addr() as u64);
        let Spelling::Pattern(pattern) = op.spelling(dialect) else { return };
        for piece in pieces(pattern) {
            match piece {
                Piece::Text(_) => {}
                Piece::Operand(index) => {
                    if let Some(operand) = operands.get(index) {
                        self.node(operand, dialect);
                    }
                }
                Piece::Rest(from) => self.nodes(operands.get(from..).unwrap_or_default(), dialect),
            }
        }
    }

    pub(super) fn nodes(&mut self, nodes: &'q [Node], dialect: Dialect) {
        self.short(nodes.len());
        for node in nodes {
            self.node(node, dialect);
        }
    }

    pub(super) fn node(&mut self, node: &'q Node, dialect: Dialect) {
        match node {
            Node::Column(column) => {
                self.byte(1);
                self.source(&column.source());
                self.short(usize::from(column.index));
            }
            Node::Bind(value, kind) => {
                self.byte(2);
                kind.write(&mut self.bytes);
                self.binds.push(Bind::One(value.borrowed()));
            }
            Node::Binary(operator, sides) => {
                self.byte(3);
                self.text(operator);
                self.node(&sides.0, dialect);
                self.node(&sides.1, dialect);
            }
            Node::And(parts) => {
                self.byte(4);
                self.nodes(parts, dialect);
            }
            Node::Or(parts) => {
                self.byte(5);
                self.nodes(parts, dialect);
            }
            Node::Not(inner) => {
                self.byte(6);
                self.node(inner, dialect);
            }
            Node::IsNull(inner, negated) => {
                self.byte(7);
                self.byte(u8::from(*negated));
                self.node(inner, dialect);
            }
            Node::InValues { item, values, kind, negated } => {
                self.byte(8);
                self.byte(u8::from(*negated));
                kind.write(&mut self.bytes);
                self.node(item, dialect);
                self.binds.push(Bind::Many(values));
            }
            Node::InList { item, list, negated } => {
                self.byte(9);
                self.byte(u8::from(*negated));
                self.node(item, dialect);
                self.nodes(list, dialect);
            }
            Node::Op(op, operands) => {
                self.byte(10);
                self.op(op, operands, dialect);
            }
            Node::Form(form) => {
                self.byte(11);
                self.form(form, dialect);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::driver::Param;
    use crate::prelude::*;
    use crate::sql::render::Renderer;
    use crate::sql::{Expr, Select};

    #[derive(Model)]
    struct Author {
        #[column(primary_key)]
        id: i64,
        name: Option<String>,
        age: Option<i32>,
        #[relationship(back_populates = author)]
        books: HasMany<Book>,
    }

    #[derive(Model)]
    struct Book {
        #[column(primary_key)]
        id: i64,
        #[column(foreign_key(Author.id))]
        author_id: i64,
        #[relationship(back_populates = books)]
        author: BelongsTo<Author>,
    }

    fn condition() -> impl Strategy<Value = Expr<bool>> {
        let leaf = prop_oneof![
            prop::option::of(0..2i32).prop_map(|age| Author.age.eq(age)),
            (0..2i32).prop_map(|age| Author.age.lt(age)),
            (0..2i64).prop_map(|id| Author.id.eq(id)),
            Just(Author.id.eq(Author.age.count())),
            Just(Author.name.is_null()),
            Just(Author.name.like("a")),
            prop::collection::vec(0..2i32, 0..2).prop_map(|ages| Author.age.in_(ages)),
            prop::collection::vec(0..2i32, 0..2).prop_map(|ages| Author.age.not_in(ages)),
            prop::collection::vec(Just(Author.name), 0..3).prop_map(|names| Author.name.in_(names)),
            Just(Author.alias("a").name.is_null()),
        ];
        let leaf = leaf.boxed();
        leaf.prop_recursive(2, 4, 2, |inner| {
            let two = || (inner.clone(), inner.clone());
            prop_oneof![
                two().prop_map(|(a, b)| a.and(b)),
                two().prop_map(|(a, b)| a.or(b)),
                two().prop_map(|(a, b)| a.eq(b)),
                inner.clone().prop_map(|a| !a),
                inner.clone().prop_map(Expression::is_not_null),
            ]
        })
    }

    /// A query without its type, over few enough pieces that the same one is made again and again.
    fn query() -> impl Strategy<Value = SelectCore> {
        let start = prop_oneof![
            Just(select(Author).core),
            Just(select(Author.alias("a")).core),
            Just(select(Author.alias("")).core),
            Just(select((Author.id, Author.name)).core),
            Just(select(Author.id).join(Author.books).core),
            Just(select((Author, Book.author_id)).join(Author.books).core),
            Just(select(count()).from(Author).core),
        ];
        let bounds = (prop::option::of(0..3u64), prop::option::of(0..2u64));
        let order =
            prop::option::of(prop_oneof![Just(Author.id.asc()), Just(Author.id.desc()), Just(Author.age.asc())]);
        (start, prop::collection::vec(condition(), 0..3), order, bounds).prop_map(
            |(core, conditions, order, bounds)| {
                let mut query = conditions.into_iter().fold(Select::<Author>::of(core), Select::filter);
                if let Some(order) = order {
                    query = query.order_by(order);
                }
                (query.core.limit, query.core.offset) = bounds;
                query.core
            },
        )
    }

    fn wanted() -> impl Strategy<Value = Wanted> {
        prop_oneof![
            Just(Wanted::Rows),
            Just(Wanted::First),
            Just(Wanted::One),
            Just(Wanted::Count),
            Just(Wanted::Exists)
        ]
    }

    type Rendered = Result<(String, Vec<Param>), String>;

    fn rendered(core: &SelectCore, wanted: Wanted, dialect: Dialect) -> Rendered {
        let mut renderer = Renderer::new(dialect);
        renderer.select(core, wanted).map_err(|error| error.to_string())?;
        Ok((renderer.sql, renderer.params))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        #[test]
        fn queries_share_a_shape_exactly_when_they_share_the_sql(
            queries in prop::collection::vec((query(), wanted()), 64),
            postgres: bool,
        ) {
            let dialect = if postgres { Dialect::Postgres } else { Dialect::Sqlite };
            let mut by_shape: HashMap<Vec<u8>, Rendered> = HashMap::new();
            let mut by_sql: HashMap<(String, String), Vec<u8>> = HashMap::new();
            for (core, wanted) in &queries {
                let mut shape = Shape::new(ShapeKind::Select);
                shape.select(core, *wanted, dialect);
                let sql = rendered(core, *wanted, dialect);
                if let Ok((text, params)) = &sql {
                    // What is bound is what has a placeholder, in the same order.
                    prop_assert_eq!(shape.binds.len(), params.len());
                    for (bind, param) in shape.binds.iter().zip(params) {
                        match (bind, param) {
                            (Bind::One(value), Param::One(kind)) => {
                                prop_assert!(value.is(*kind));
                            }
                            (Bind::Many(values), Param::Many(kind)) => {
                                prop_assert!(values.iter().all(|value| value.is(*kind)));
                            }
                            _ => prop_assert!(false, "a list for a value, or a value for a list"),
                        }
                    }
                    // What is only counted may be selected in several ways.
                    if wanted.is_rows() {
                        let key = (text.clone(), format!("{params:?}"));
                        let known = by_sql.entry(key).or_insert_with(|| shape.bytes.clone());
                        prop_assert_eq!(&*known, &shape.bytes, "{}", text);
                    }
                }
                let known = by_shape.entry(shape.bytes).or_insert_with(|| sql.clone());
                // What cannot be rendered is never kept, and may be refused over one column or another.
                if known.is_ok() || sql.is_ok() {
                    prop_assert_eq!(&*known, &sql);
                }
            }
        }
    }
}
