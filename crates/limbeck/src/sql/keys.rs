//! Keys as they come out of rows, to find the owner of each.

use std::hash::{Hash, Hasher};

use super::node::{ColumnRef, InKeys, Node};
use super::render::Renderer;
use crate::dialect::Dialect;
use crate::driver::{Bind, Row};
use crate::error::Error;
use crate::error::Result;
use crate::model::ModelDef;
use crate::types::{Kind, Value};

/// A value that can be looked up. Floats are no keys.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyValue(pub(crate) Value<'static>);

impl Eq for KeyValue {}

impl Hash for KeyValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::I16(v) => v.hash(state),
            Value::I32(v) => v.hash(state),
            Value::I64(v) => v.hash(state),
            Value::Bool(v) => v.hash(state),
            Value::Text(v) => v.hash(state),
            Value::Bytes(v) => v.hash(state),
            Value::Date(v) => v.hash(state),
            Value::DateTime(v) | Value::Timestamp(v) | Value::Time(v) => v.hash(state),
            Value::Uuid(v) => v.hash(state),
            Value::Decimal(v) => v.hash(state),
            Value::Interval(v) => v.hash(state),
            Value::Json(v) => v.hash(state),
            Value::Null | Value::F32(_) | Value::F64(_) | Value::Array(_) | Value::Invalid(_) => {}
        }
    }
}

/// The values of a row's key, to be looked up: one, which nearly all keys are, needs no allocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RowKey {
    One(KeyValue),
    Several(Box<[KeyValue]>),
}

impl RowKey {
    /// A key of so many parts, unless one of them is NULL: then it refers to nothing.
    pub(crate) fn of<'v>(width: usize, mut value: impl FnMut(usize) -> Value<'v>) -> Option<Self> {
        let mut part = |index: usize| {
            let value = value(index);
            (!value.is_null()).then(|| KeyValue(value.into_owned()))
        };
        match width {
            1 => part(0).map(RowKey::One),
            _ => (0..width).map(part).collect::<Option<_>>().map(RowKey::Several),
        }
    }

    fn parts(&self) -> &[KeyValue] {
        match self {
            RowKey::One(part) => std::slice::from_ref(part),
            RowKey::Several(parts) => parts,
        }
    }
}

/// The key in a row, unless a part of it is NULL.
pub(crate) fn key_of(
    row: &Row<'_>,
    position: &(dyn Fn(usize) -> usize + Sync),
    model: &ModelDef,
    columns: &[usize],
) -> Result<Option<RowKey>> {
    let part = |index: usize| {
        let def = &model.columns[columns[index]];
        let source = match row.cell(position(index)).value(def.sql_type.kind()) {
            Ok(Value::Null) => return Ok(None),
            Ok(value) => return Ok(Some(KeyValue(value))),
            Err(source) => source,
        };
        Err(Error::Decode { table: model.table.into(), column: def.name.into(), source })
    };
    Ok(match columns.len() {
        1 => part(0)?.map(RowKey::One),
        width => (0..width).map(part).collect::<Result<Option<_>>>()?.map(RowKey::Several),
    })
}

/// A list of keys, as the parameters of a statement.
#[derive(Debug)]
pub(crate) struct KeyList {
    /// The parts of each key, one key behind the other.
    flat: Vec<Value<'static>>,
    width: usize,
}

/// What is bound for a list of keys.
pub(crate) struct KeyBinds(Vec<Vec<Value<'static>>>);

impl KeyList {
    pub(crate) fn new(width: usize) -> Self {
        KeyList { flat: Vec::new(), width }
    }

    pub(crate) fn push(&mut self, key: &RowKey) {
        self.flat.extend(key.parts().iter().map(|part| part.0.clone()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.flat.is_empty()
    }

    /// That columns hold one of the keys.
    pub(crate) fn condition(self, columns: Vec<ColumnRef>, dialect: Dialect) -> Node {
        if let [column] = columns.as_slice() {
            let (.., kind) = column.spelled();
            return Node::InValues { item: Box::new(Node::Column(*column)), values: self.flat, kind, negated: false };
        }
        let params = match dialect {
            Dialect::Sqlite => 1,
            Dialect::Postgres => columns.len(),
        };
        Node::InKeys(Box::new(InKeys { columns, lists: self.binds(params).0 }))
    }

    /// As a list for each of so many parameters: one for each column, or all in one.
    pub(crate) fn binds(self, params: usize) -> KeyBinds {
        if params == 1 {
            return KeyBinds(vec![self.flat]);
        }
        let mut lists = vec![Vec::with_capacity(self.flat.len() / self.width.max(1)); self.width];
        for (index, value) in self.flat.into_iter().enumerate() {
            lists[index % self.width].push(value);
        }
        KeyBinds(lists)
    }
}

impl KeyBinds {
    pub(crate) fn binds(&self) -> Vec<Bind<'_>> {
        self.0.iter().map(|list| Bind::Many(list)).collect()
    }
}

/// `table.a IN (a list)`, or `(table.a, table.b) IN (a list of pairs)`.
pub(crate) fn in_keys(renderer: &mut Renderer, columns: &[(&str, &str, Kind)]) {
    if let [(table, column, kind)] = columns {
        renderer.qualified(table, column).in_list(*kind, false);
        return;
    }
    for (index, (table, column, _)) in columns.iter().enumerate() {
        renderer.push(if index > 0 { ", " } else { "(" }).qualified(table, column);
    }
    renderer.push(") IN (SELECT ");
    match renderer.dialect {
        Dialect::Postgres => {
            renderer.push("* FROM unnest(");
            for (index, (_, _, kind)) in columns.iter().enumerate() {
                renderer.push(if index > 0 { ", " } else { "" }).array_param(*kind);
            }
            renderer.push("))");
        }
        Dialect::Sqlite => {
            let width = columns.len().to_string();
            for (part, (_, _, kind)) in columns.iter().enumerate() {
                renderer.push(if part > 0 { ", " } else { "" });
                // JSON has no bytes: they travel in hexadecimal digits.
                let is_bytes = matches!(kind, Kind::Bytes | Kind::Uuid);
                renderer.push(if is_bytes { "unhex(max(value)" } else { "max(value)" });
                renderer.push(" FILTER (WHERE key % ").push(&width).push(" = ").push(&part.to_string());
                renderer.push(if is_bytes { "))" } else { ")" });
            }
            // The kind is PostgreSQL's business.
            renderer.push(" FROM json_each(").array_param(columns[0].2);
            renderer.push(") GROUP BY key / ").push(&width).push(")");
        }
    }
}
