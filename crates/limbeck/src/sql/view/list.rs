//! The lists of a view: the rows at the other end of a to-many relationship, of all rows in one statement.
//!
//! A view's own rows come first, and of each the keys by which the rows of its lists are found. Then each list is one
//! statement over all keys, whose rows are views that may have lists themselves; so there is one statement for each
//! list of each level, and none below a level without rows.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::View;
use super::field::{Reader, ViewField};
use super::plan::{Plan, key_columns};
use crate::driver::{Bind, Row, RowSink, Stmt};
use crate::error::{Error, Result};
use crate::model::mapping::{KeyPair, Path};
use crate::model::{Column, Model, ModelDef};
use crate::sql::compile::{Compiled, Compiler, Wanted};
use crate::sql::expression::{Condition, IntoOrder, Order};
use crate::sql::join::{Join, JoinKind, On};
use crate::sql::keys::{KeyList, RowKey, key_of};
use crate::sql::node::{ColumnRef, Node, Source};
use crate::sql::select::SelectCore;
use crate::sql::select::column_at;
use crate::sql::selection::Projection;
use crate::sql::shape::{Shape, ShapeKind};
use crate::sql::subquery::Origin;
use crate::types::{ColumnType, DecodeError};

/// How many lists may lie in each other. Rows that refer to each other in a circle would never end.
const DEEPEST: usize = 64;

/// The way from a value to a field in it, which is not there where an optional row is not.
pub struct Access<Root, F>(Arc<Way<Root, F>>);

type Way<Root, F> = dyn for<'r> Fn(&'r mut Root) -> Option<&'r mut F> + Send + Sync;

impl<Root: 'static> Access<Root, Root> {
    fn root() -> Self {
        Access(Arc::new(|root| Some(root)))
    }
}

impl<Root: 'static, F: 'static> Access<Root, F> {
    /// A field of the field.
    fn field<G: 'static>(&self, field: for<'f> fn(&'f mut F) -> &'f mut G) -> Access<Root, G> {
        let outer = Arc::clone(&self.0);
        Access(Arc::new(move |root| outer(root).map(field)))
    }
}

impl<Root: 'static, F: 'static> Access<Root, Option<F>> {
    /// What is in an `Option`.
    pub(super) fn inside(self) -> Access<Root, F> {
        Access(Arc::new(move |root| (self.0)(root).and_then(Option::as_mut)))
    }
}

impl<Root, F> std::fmt::Debug for Access<Root, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}

/// The lists of a view while they are gathered.
pub struct Lists<Root> {
    lists: Vec<Box<dyn ListOf<Root>>>,
    /// What the next list is ordered by, and which rows it keeps.
    order: Vec<Order>,
    filter: Vec<Node>,
}

impl<Root> std::fmt::Debug for Lists<Root> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lists", self.lists.len())
    }
}

impl<Root: Send + 'static> Lists<Root> {
    fn none() -> Self {
        Lists { lists: Vec::new(), order: Vec::new(), filter: Vec::new() }
    }

    fn of<V: View>() -> Lists<V> {
        let mut lists = Lists::none();
        V::gather(&Access::root(), &mut lists);
        lists
    }

    /// Used by `derive(View)`: a field, which may be a list or have some in it.
    #[doc(hidden)]
    pub fn field<V: 'static, F: 'static, C: ViewField<F>>(
        &mut self,
        access: &Access<Root, V>,
        source: C,
        field: for<'f> fn(&'f mut V) -> &'f mut F,
    ) {
        source.lists(|| access.field(field), self);
    }

    /// Used by `derive(View)`: the order of the list that comes next.
    #[doc(hidden)]
    pub fn order_by<O: IntoOrder>(&mut self, order: O) {
        order.into_order(&mut self.order);
    }

    /// Used by `derive(View)`: which rows of the list that comes next are kept.
    #[doc(hidden)]
    pub fn filter<E: Condition>(&mut self, condition: E) {
        self.filter.push(condition.into_node());
    }

    pub(super) fn push<Item: Send + 'static>(
        &mut self,
        access: Access<Root, Vec<Item>>,
        owner: &'static ModelDef,
        relation: usize,
        items: Items<Item>,
    ) {
        let order = std::mem::take(&mut self.order);
        let filter = std::mem::take(&mut self.filter);
        self.lists.push(Box::new(List { access, owner, relation, items, order, filter }));
    }
}

/// What a list is of: how its rows are selected and read.
pub(super) struct Items<Item> {
    plan: Box<dyn Fn() -> Plan + Send + Sync>,
    read: fn(&mut Reader<'_, '_>) -> Result<Item, DecodeError>,
    lists: fn() -> Lists<Item>,
}

/// A list of views.
pub(super) fn views_of<V: View>() -> Items<V> {
    Items { plan: Box::new(Plan::of::<V>), read: V::read, lists: Lists::<V>::of::<V> }
}

/// A list of the values of a column.
pub(super) fn columns_of<M: Model, T: ColumnType>(column: Column<M, T>) -> Items<T> {
    let plan = move || {
        let mut plan = Plan::over(M::def());
        plan.column(usize::from(column.index), T::NULLABLE);
        plan
    };
    Items { plan: Box::new(plan), read: |row| row.column(), lists: Lists::none }
}

/// A list of a view, whatever it is of.
trait ListOf<Root>: Send + Sync {
    /// The model whose columns are the key, and which.
    fn key(&self) -> Result<(&'static ModelDef, Vec<usize>)>;

    /// Reads the list of each of the values, whose keys these are.
    fn fill<'a>(
        &'a self,
        roots: &'a mut [Root],
        keys: Vec<Option<RowKey>>,
        channel: &'a mut dyn Channel,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
}

struct List<Root, Item> {
    access: Access<Root, Vec<Item>>,
    owner: &'static ModelDef,
    relation: usize,
    items: Items<Item>,
    order: Vec<Order>,
    filter: Vec<Node>,
}

impl<Root: Send + 'static, Item: Send + 'static> ListOf<Root> for List<Root, Item> {
    fn key(&self) -> Result<(&'static ModelDef, Vec<usize>)> {
        Ok((self.owner, key_columns(self.owner, self.relation)?))
    }

    fn fill<'a>(
        &'a self,
        roots: &'a mut [Root],
        keys: Vec<Option<RowKey>>,
        channel: &'a mut dyn Channel,
        depth: usize,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            let mut owners: FxHashMap<RowKey, Vec<u32>> = FxHashMap::default();
            for (position, key) in keys.into_iter().enumerate() {
                if let Some(key) = key {
                    owners.entry(key).or_default().push(position as u32);
                }
            }
            if owners.is_empty() {
                return Ok(());
            }
            if depth >= DEEPEST {
                return Err(self.endless());
            }
            let statement = self.statement(&owners, channel.compiler())?;
            let Compiled { stmt, binds, .. } = statement.compile(channel.compiler())?;
            let filling = Filling::new(ListPlan { lists: (self.items.lists)(), positions: statement.lists.clone() })?;
            let mut sink =
                ItemSink { read: self.items.read, statement: &statement, owners: &owners, found: Vec::new(), filling };
            channel.query(&stmt, &binds, &mut sink).await?;
            let ItemSink { found, filling, .. } = sink;
            let (owners, mut items): (Vec<u32>, Vec<Item>) = found.into_iter().unzip();
            filling.run(&mut items, channel, depth + 1).await?;
            for (owner, item) in owners.into_iter().zip(items) {
                if let Some(list) = (self.access.0)(&mut roots[owner as usize]) {
                    list.push(item);
                }
            }
            Ok(())
        })
    }
}

impl<Root, Item> List<Root, Item> {
    fn endless(&self) -> Error {
        let label = self.owner.relations[self.relation].label;
        Error::Statement(format!(
            "lists along `{label}` lie in each other more than {DEEPEST} deep: the rows refer to each other in a circle, \
             which a view cannot show"
        ))
    }

    /// The statement for the rows of these owners.
    fn statement(&self, owners: &FxHashMap<RowKey, Vec<u32>>, compiler: Compiler<'_>) -> Result<Statement> {
        let (mut core, lists) = (self.items.plan)().checked()?;
        let relation = &self.owner.mapping()?.relations[self.relation];
        let target = Source { model: relation.target, alias: None };
        let (keyed, key): (Source, Vec<usize>) = match &relation.path {
            Path::HasMany(keys) | Path::HasOne(keys) => (target, KeyPair::columns(keys)),
            Path::BelongsTo(keys) => (target, KeyPair::referred(keys)),
            // The association table is no model's; the owner's table leads through it.
            Path::ManyToMany(link) => {
                let mut alias = "owner";
                while core.tables().any(|source| source.name() == alias) || link.table == alias {
                    alias = super::plan::kept(format!("{alias}_"));
                }
                let owner = Source { model: self.owner, alias: Some(alias) };
                let on = On::Relation { from: owner, relation: self.relation };
                core.joins.insert(0, Join { kind: JoinKind::Inner, to: Origin::Table(target), on });
                core.from = Some(Origin::Table(owner));
                (owner, link.local.iter().map(|(_, key)| *key).collect())
            }
        };
        let column =
            |source: Source, index: usize| ColumnRef { model: source.model, alias: source.alias, index: index as u16 };
        let key_at = core.projection.len();
        let columns: Vec<ColumnRef> = key.iter().map(|index| column(keyed, *index)).collect();
        core.projection
            .extend(columns.iter().map(|column| Projection::Node { node: Node::Column(*column), nullable: true }));
        let mut list = KeyList::new(columns.len());
        owners.keys().for_each(|key| list.push(key));
        core.filter.push(list.condition(columns, compiler.dialect));
        core.filter.extend(self.filter.iter().cloned());
        core.order_by = self.order.clone();
        if core.order_by.is_empty() {
            let by_key = target.model.primary_key.iter().map(|index| Node::Column(column(target, *index)));
            core.order_by.extend(by_key.map(|node| Order { node, descending: false, nulls: None }));
        }
        Ok(Statement { core, lists, keyed: keyed.model, key, key_at })
    }
}

/// The statement of a list.
struct Statement {
    core: SelectCore,
    /// Where the keys of the lists in the rows are.
    lists: Vec<Vec<usize>>,
    /// The model whose columns say which owner a row is for.
    keyed: &'static ModelDef,
    key: Vec<usize>,
    /// Where the first of them is in the row; the others follow.
    key_at: usize,
}

impl Statement {
    fn compile(&self, compiler: Compiler<'_>) -> Result<Compiled<'_>> {
        let mut shape = Shape::new(ShapeKind::Select);
        shape.select(&self.core, Wanted::Rows, compiler.dialect);
        // A query inside it may lock rows.
        let access = shape.access();
        compiler.statement(shape, access, |renderer| renderer.select(&self.core, Wanted::Rows))
    }

    #[cold]
    fn unreadable(&self, source: DecodeError) -> Error {
        let position = source.column.unwrap_or(0);
        let (table, column) = column_at(&self.core.projection, position)
            .unwrap_or_else(|| (String::new(), format!("column {}", position + 1)));
        Error::Decode { table, column, source }
    }
}

/// Takes the rows of a list. A row that several owners have is read for each of them.
struct ItemSink<'s, Item> {
    read: fn(&mut Reader<'_, '_>) -> Result<Item, DecodeError>,
    statement: &'s Statement,
    owners: &'s FxHashMap<RowKey, Vec<u32>>,
    found: Vec<(u32, Item)>,
    filling: Filling<Item>,
}

impl<Item: Send + 'static> RowSink for ItemSink<'_, Item> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let statement = self.statement;
        let key = key_of(&row, &|part| statement.key_at + part, statement.keyed, &statement.key)?;
        let owners = key.and_then(|key| self.owners.get(&key)).map(Vec::as_slice).unwrap_or_default();
        for owner in owners {
            let item = (self.read)(&mut Reader::new(&row, 0)).map_err(|source| statement.unreadable(source))?;
            self.found.push((*owner, item));
            self.filling.row(&row)?;
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.found.clear();
        self.filling.restart();
    }
}

/// Where statements are sent: a connection, or a session's.
pub(crate) trait Channel: Send {
    /// Where statements are found or rendered.
    fn compiler(&self) -> Compiler<'_>;

    /// Runs a query and hands its rows to the sink.
    fn query<'a>(
        &'a mut self,
        stmt: &'a Arc<Stmt>,
        binds: &'a [Bind<'a>],
        sink: &'a mut dyn RowSink,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;
}

/// The lists of a row, and where in it the key of each is.
#[derive(Debug)]
pub struct ListPlan<Root> {
    lists: Lists<Root>,
    positions: Vec<Vec<usize>>,
}

impl<Root: Send + 'static> ListPlan<Root> {
    /// Of what is no view.
    pub(crate) fn none() -> Self {
        ListPlan { lists: Lists::none(), positions: Vec::new() }
    }
}

/// Used by `derive(View)`: the lists of a view.
#[doc(hidden)]
pub fn lists_of<V: View>() -> ListPlan<V> {
    let lists = Lists::<V>::of::<V>();
    if lists.lists.is_empty() {
        return ListPlan::none();
    }
    ListPlan { lists, positions: Plan::of::<V>().list_keys() }
}

/// The lists of a result while its rows arrive.
pub(crate) struct Filling<Root> {
    lists: Vec<Filled<Root>>,
}

struct Filled<Root> {
    list: Box<dyn ListOf<Root>>,
    keyed: &'static ModelDef,
    key: Vec<usize>,
    positions: Vec<usize>,
    /// The key of each row.
    found: Vec<Option<RowKey>>,
}

impl<Root> Filling<Root> {
    /// Of a result without lists.
    pub(crate) fn none() -> Self {
        Filling { lists: Vec::new() }
    }
}

impl<Root: Send + 'static> Filling<Root> {
    pub(crate) fn new(plan: ListPlan<Root>) -> Result<Self> {
        let lists = plan.lists.lists.into_iter().zip(plan.positions).map(|(list, positions)| {
            let (keyed, key) = list.key()?;
            Ok(Filled { list, keyed, key, positions, found: Vec::new() })
        });
        Ok(Filling { lists: lists.collect::<Result<_>>()? })
    }

    /// Whether there are no lists.
    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Keeps the keys of a row.
    #[inline]
    pub(crate) fn row(&mut self, row: &Row<'_>) -> Result<()> {
        for filled in &mut self.lists {
            filled.found.push(key_of(row, &|part| filled.positions[part], filled.keyed, &filled.key)?);
        }
        Ok(())
    }

    pub(crate) fn restart(&mut self) {
        self.lists.iter_mut().for_each(|filled| filled.found.clear());
    }

    /// Reads the lists of all rows.
    pub(crate) async fn run(self, roots: &mut [Root], channel: &mut dyn Channel, depth: usize) -> Result<()> {
        for Filled { list, found, .. } in self.lists {
            list.fill(roots, found, channel, depth).await?;
        }
        Ok(())
    }
}
