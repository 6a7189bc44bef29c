//! The shape of a query: the tree without its values, as bytes, and its values beside it.
//!
//! Queries of one shape render to the same SQL with parameters of the same kinds; the statement cache
//! compares whole shapes, so a hash collision can never run the wrong statement. Making a shape is a walk
//! that writes a few bytes a node, which is what a query costs when its statement is known.

mod select;
mod write;

use super::compile::Wanted;
use super::node::{Node, Source};
use super::op::{Op, Piece, Spelling, pieces};
use super::share::{self, Sharing};
use super::subquery::Derived;
use crate::dialect::Dialect;
use crate::driver::{Access, Bind};
use crate::model::ColumnSet;
use crate::types::Kind;

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
    DeleteChildren,
    SetConstraint,
    LoadColumn,
    InsertRows,
    UpdateWhere,
    DeleteWhere,
    KeysWhere,
    Versions,
    RowAgain,
    InsertAlone,
}

/// A shape while it is written.
pub(crate) struct Shape<'q> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) binds: Vec<Bind<'q>>,
    /// The subqueries that were met: one is written as its place here, since its id is another in each query that is
    /// made alike.
    met: Vec<u64>,
    /// The queries that WITH will have: each after those that it uses.
    ctes: Vec<CteShape<'q>>,
    /// It locks rows.
    locks: bool,
    /// The values, by their places among `binds`, that equal ones share a placeholder with, where that is so.
    pub(in crate::sql) sharing: Sharing<(usize, Kind)>,
}

/// A query in WITH. Its values come before those of the statement that uses it, as it does itself.
struct CteShape<'q> {
    derived: &'q Derived,
    bytes: Vec<u8>,
    binds: Vec<Bind<'q>>,
}

/// Whether two expressions are the same, values included.
pub(super) fn same_node(a: &Node, b: &Node) -> bool {
    let shape = |node| {
        let mut shape = Shape::new(ShapeKind::Select);
        shape.node(node, Dialect::Postgres);
        shape.whole()
    };
    let (a, b) = (shape(a), shape(b));
    a.0 == b.0 && a.1 == b.1
}

/// Whether one parameter can be both.
fn same(a: &Bind<'_>, b: &Bind<'_>) -> bool {
    match (a, b) {
        (Bind::One(a), Bind::One(b)) => share::same(a, b),
        (Bind::Many(a), Bind::Many(b)) => share::same_list(a, b),
        _ => false,
    }
}

impl<'q> Shape<'q> {
    pub(crate) fn new(kind: ShapeKind) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.push(kind as u8);
        Shape { bytes, binds: Vec::new(), met: Vec::new(), ctes: Vec::new(), locks: false, sharing: Sharing::none() }
    }

    /// The whole: the queries of WITH are part of it, and their values come first.
    pub(crate) fn whole(self) -> (Vec<u8>, Vec<Bind<'q>>) {
        let Shape { mut bytes, mut binds, ctes, .. } = self;
        if !ctes.is_empty() {
            let last = std::mem::take(&mut binds);
            for cte in ctes {
                bytes.extend_from_slice(&cte.bytes);
                binds.extend(cte.binds);
            }
            binds.extend(last);
        }
        (bytes, binds)
    }

    /// What the statement of a query does.
    pub(crate) fn access(&self) -> Access {
        if self.locks { Access::Writes } else { Access::Reads }
    }

    /// The queries that WITH has, in the order in which they stand there.
    pub(crate) fn ctes(&self) -> Vec<&'q Derived> {
        self.ctes.iter().map(|cte| cte.derived).collect()
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn columns(&mut self, columns: ColumnSet) {
        self.bytes.extend_from_slice(&columns.0.to_le_bytes());
    }

    fn short(&mut self, number: usize) {
        self.bytes.extend_from_slice(&(number as u32).to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.short(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn source(&mut self, source: &Source) {
        self.short(source.model.id.get());
        match source.alias {
            None => self.byte(0),
            Some(alias) => {
                self.byte(1);
                self.text(alias);
            }
        }
    }

    /// A subquery, by the order in which the query meets them.
    fn met(&mut self, id: u64) {
        let place = self.met.iter().position(|met| *met == id).unwrap_or_else(|| {
            self.met.push(id);
            self.met.len() - 1
        });
        self.short(place);
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

    /// A value, or a list in one parameter.
    fn bind(&mut self, bind: Bind<'q>, kind: Kind) {
        let Some(shared) = self.sharing.met() else {
            self.binds.push(bind);
            return;
        };
        let is = |(at, of): &(usize, Kind)| *of == kind && self.binds.get(*at).is_some_and(|known| same(known, &bind));
        let place = shared.iter().position(is);
        if place.is_none() {
            shared.push((self.binds.len(), kind));
            self.binds.push(bind);
        }
        // 0 is a placeholder of its own.
        self.short(place.map_or(0, |place| place + 1));
    }

    pub(super) fn nodes(&mut self, nodes: &'q [Node], dialect: Dialect) {
        self.short(nodes.len());
        for node in nodes {
            self.node(node, dialect);
        }
    }

    pub(crate) fn node(&mut self, node: &'q Node, dialect: Dialect) {
        match node {
            Node::Column(column) => {
                self.byte(1);
                self.source(&column.source());
                self.short(usize::from(column.index));
            }
            Node::Bind(value, kind) => {
                self.byte(2);
                kind.write(&mut self.bytes);
                self.bind(Bind::One(value.borrowed()), *kind);
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
                self.bind(Bind::Many(values), *kind);
            }
            Node::InKeys(keys) => {
                self.byte(17);
                self.short(keys.columns.len());
                for column in &keys.columns {
                    self.source(&column.source());
                    self.short(usize::from(column.index));
                }
                self.binds.extend(keys.lists.iter().map(|list| Bind::Many(list)));
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
            Node::Derived(column) => {
                self.byte(40);
                self.met(column.of.id);
                self.short(column.index);
            }
            Node::Scalar(query) => {
                self.byte(41);
                self.select(&query.0, Wanted::Rows, dialect);
            }
            Node::Exists(query) => {
                self.byte(42);
                self.select(&query.0, Wanted::Exists, dialect);
            }
            Node::InQuery { item, query, negated } => {
                self.byte(43);
                self.byte(u8::from(*negated));
                self.node(item, dialect);
                self.select(&query.0, Wanted::Rows, dialect);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::super::select::SelectCore;
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
                let (bytes, binds) = shape.whole();
                let sql = rendered(core, *wanted, dialect);
                if let Ok((text, params)) = &sql {
                    // What is bound is what has a placeholder, in the same order.
                    prop_assert_eq!(binds.len(), params.len());
                    for (bind, param) in binds.iter().zip(params) {
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
                        let known = by_sql.entry(key).or_insert_with(|| bytes.clone());
                        prop_assert_eq!(&*known, &bytes, "{}", text);
                    }
                }
                let known = by_shape.entry(bytes).or_insert_with(|| sql.clone());
                // What cannot be rendered is never kept, and may be refused over one column or another.
                if known.is_ok() || sql.is_ok() {
                    prop_assert_eq!(&*known, &sql);
                }
            }
        }
    }
}
