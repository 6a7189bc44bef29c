//! Which returned row is which object's.
//!
//! SQLite's rows are written one by one. PostgreSQL takes all rows of a batch in one INSERT, in order, and promises
//! nothing about the order of RETURNING. So no row is tied to its object by order alone; there is always a second
//! witness:
//!
//! * *The key's number.* The rows are inserted `ORDER BY` their place, and a sequence numbers them as they go. When the
//!   numbers come back ascending, the database's numbering and the order of RETURNING say the same. A sequence that
//!   runs backwards or starts over, or a trigger that changes keys, shows in numbers that do not ascend.
//! * *The values that were sent.* They are returned beside what the database made. A row whose values are the object's
//!   is the object's row; so this holds whatever the database did with the keys. Only as many columns are returned as
//!   tell the rows of the batch apart: a unique one where there is one.
//!
//! Where the witnesses disagree, nothing is guessed: the flush is taken back and run again with the stronger means, and
//! the engine remembers it for the table. The last means is a statement for each row, still in one round trip.

use rustc_hash::FxHashSet;

use crate::model::{ColumnSet, ModelDef};
use crate::session::objects::{Obj, Objects};
use crate::types::{Kind, Value};

/// How far a table's rows can be tied to their objects in batches: what the engine remembers of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// Its keys are numbered in order.
    #[default]
    Numbers,
    /// Its keys are not, but it keeps the values that it is sent.
    Values,
    /// Neither.
    None,
}

impl Trust {
    /// What is left when this was found wrong.
    pub(crate) fn less(self) -> Self {
        match self {
            Trust::Numbers => Trust::Values,
            Trust::Values | Trust::None => Trust::None,
        }
    }
}

/// How rows that come back are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// There is one row, or each is written by itself.
    InOrder,
    /// By this column, which the database numbers.
    ByNumber { column: usize, descending: bool },
    /// By these columns, which were sent and come back first.
    BySent(Vec<usize>),
}

/// How to tie the rows of a batch: `None` if they have to be sent one by one. `sent` are the columns whose values are
/// sent, `made` those that come back.
pub(super) fn choose(
    objects: &Objects,
    model: &'static ModelDef,
    objs: &[Obj],
    sent: ColumnSet,
    made: &[usize],
    trust: Trust,
) -> Option<Tie> {
    if objs.len() == 1 || made.is_empty() {
        return Some(Tie::InOrder);
    }
    if trust == Trust::None {
        return None;
    }
    if trust == Trust::Numbers
        && let Some(column) = made.iter().copied().find(|column| model.columns[*column].generated)
        && !objects.expressed(*objs.first()?).contains(column)
    {
        let descending = model.columns[column].options.identity.is_some_and(|identity| identity.increment < 0);
        return Some(Tie::ByNumber { column, descending });
    }
    sentinel(objects, model, objs, sent).map(Tie::BySent)
}

/// The fewest columns whose values tell the rows apart, or do so but for rows that are equal altogether.
fn sentinel(objects: &Objects, model: &'static ModelDef, objs: &[Obj], sent: ColumnSet) -> Option<Vec<usize>> {
    let value = |obj: &Obj, column: usize| objects.store(*obj).value(obj.slot, column);
    let uniques = model.mapping().map(|mapping| mapping.uniques.as_slice()).unwrap_or_default();
    for unique in uniques {
        let usable = |column: &usize| {
            let given = || objs.iter().all(|obj| !value(obj, *column).is_null());
            sent.contains(*column) && is_short(kind(model, *column)) && given()
        };
        if unique.columns.iter().all(usable) {
            return Some(unique.columns.clone());
        }
    }
    let tells_apart = |columns: &[usize]| {
        let mut seen = FxHashSet::default();
        objs.iter().all(|obj| seen.insert(digest_of(columns.iter().map(|column| value(obj, *column)))))
    };
    for column in sent.iter().filter(|column| is_short(kind(model, *column))) {
        if tells_apart(&[column]) {
            return Some(vec![column]);
        }
    }
    let (comparable, other): (Vec<usize>, Vec<usize>) = sent.iter().partition(|column| {
        // JSON comes back in the database's spelling.
        !matches!(kind(model, *column), Kind::Json | Kind::Array(Kind::Json))
    });
    (other.is_empty() || tells_apart(&comparable)).then_some(comparable)
}

fn kind(model: &ModelDef, column: usize) -> Kind {
    model.columns[column].sql_type.kind()
}

/// Whether values of that kind are worth nothing to send back, and can tell rows apart.
fn is_short(kind: Kind) -> bool {
    !matches!(kind, Kind::Bool | Kind::F32 | Kind::F64 | Kind::Bytes | Kind::Json | Kind::Array(_))
}

/// Whether numbers came back in the order in which they were drawn.
pub(super) fn ascend<'v>(numbers: impl Iterator<Item = &'v Value<'static>>, descending: bool) -> bool {
    let mut last: Option<i64> = None;
    for number in numbers {
        let Some(number) = super::check::integer(number) else { return false };
        let ordered = |last: i64| if descending { number < last } else { number > last };
        if last.is_some_and(|last| !ordered(last)) {
            return false;
        }
        last = Some(number);
    }
    true
}

/// Puts returned rows, which begin with the values that were sent, into the order in which they were sent. `false` if
/// it cannot be told which is which.
pub(super) fn by_sent<'v>(
    width: usize,
    columns: usize,
    returned: &mut Vec<Value<'static>>,
    sent: impl Fn(usize, usize) -> Value<'v>,
) -> bool {
    let rows: Vec<&[Value<'static>]> = returned.chunks_exact(width).collect();
    let came: Vec<Vec<Box<[u8]>>> =
        rows.iter().map(|row| row[..columns].iter().map(|value| digest_of([value.borrowed()])).collect()).collect();
    let went: Vec<Vec<Box<[u8]>>> =
        (0..rows.len()).map(|row| (0..columns).map(|part| digest_of([sent(row, part)])).collect()).collect();
    if came == went {
        return true;
    }
    // In another order?
    let sorted = |of: &[Vec<Box<[u8]>>]| {
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.sort_by(|a, b| of[*a].cmp(&of[*b]));
        order
    };
    let (from, to) = (sorted(&came), sorted(&went));
    if from.iter().zip(&to).all(|(from, to)| came[*from] == went[*to]) {
        let mut tied: Vec<&[Value<'static>]> = vec![&[]; rows.len()];
        from.into_iter().zip(to).for_each(|(from, to)| tied[to] = rows[from]);
        *returned = tied.concat();
        return true;
    }
    // A trigger changed some column. The others may do, if they tell the rows apart.
    let kept: Vec<usize> =
        (0..columns).filter(|part| came.iter().zip(&went).all(|(a, b)| a[*part] == b[*part])).collect();
    let mut seen = FxHashSet::default();
    went.iter().all(|row| seen.insert(kept.iter().map(|part| &row[*part]).collect::<Vec<_>>()))
}

/// Values as bytes that are equal where the values are, whatever the width of their numbers.
fn digest_of<'v>(values: impl IntoIterator<Item = Value<'v>>) -> Box<[u8]> {
    let mut out = Vec::with_capacity(16);
    values.into_iter().for_each(|value| digest(&value, &mut out));
    out.into()
}

fn digest(value: &Value<'_>, out: &mut Vec<u8>) {
    let mut write = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(&bytes.len().to_le_bytes());
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null => write(0, &[]),
        Value::F32(v) => write(2, &(f64::from(*v) + 0.0).to_bits().to_le_bytes()),
        Value::F64(v) => write(2, &(*v + 0.0).to_bits().to_le_bytes()),
        Value::Text(v) | Value::Json(v) => write(3, v.as_bytes()),
        Value::Bytes(v) => write(4, v),
        Value::Uuid(v) => write(5, v),
        Value::Decimal(v) => {
            let text = v.to_string();
            let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            write(6, short.as_bytes());
        }
        Value::Array(values) => {
            write(7, &values.len().to_le_bytes());
            values.iter().for_each(|value| digest(value, out));
        }
        Value::Invalid(why) => write(8, why.as_bytes()),
        Value::Bool(_)
        | Value::I16(_)
        | Value::I32(_)
        | Value::I64(_)
        | Value::DateTime(_)
        | Value::Timestamp(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Interval(_) => write(1, &super::check::integer(value).unwrap_or_default().to_le_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tied(sent: &[(i64, &str)], returned: &[(i64, &str, i64)]) -> Option<Vec<i64>> {
        let mut values: Vec<Value<'static>> = Vec::new();
        for (number, text, made) in returned {
            values.extend([Value::I64(*number), Value::Text((*text).to_owned().into()), Value::I64(*made)]);
        }
        let value = |row: usize, part: usize| match part {
            0 => Value::I32(sent[row].0 as i32),
            _ => Value::Text(sent[row].1.into()),
        };
        by_sent(3, 2, &mut values, value)
            .then(|| values.chunks(3).map(|row| if let Value::I64(made) = row[2] { made } else { -1 }).collect())
    }

    #[test]
    fn rows_in_any_order_find_their_objects_by_what_was_sent() {
        let sent = [(1, "a"), (2, "b"), (3, "c")];
        assert_eq!(tied(&sent, &[(1, "a", 10), (2, "b", 20), (3, "c", 30)]), Some(vec![10, 20, 30]));
        assert_eq!(tied(&sent, &[(3, "c", 30), (1, "a", 10), (2, "b", 20)]), Some(vec![10, 20, 30]));
        // A trigger changed the text; the number tells.
        assert_eq!(tied(&sent, &[(1, "A", 10), (2, "B", 20), (3, "C", 30)]), Some(vec![10, 20, 30]));
        // The same, in another order: that nothing ties the rows is found out.
        assert_eq!(tied(&sent, &[(2, "B", 20), (1, "A", 10), (3, "C", 30)]), None);
        // What tells the rows apart is what was changed.
        assert_eq!(tied(&[(1, "a"), (1, "b")], &[(1, "A", 10), (1, "B", 20)]), None);
        // Of equal rows either will do.
        assert_eq!(tied(&[(1, "a"), (1, "a")], &[(1, "a", 10), (1, "a", 20)]), Some(vec![10, 20]));
    }

    #[test]
    fn numbers_ascend_or_they_do_not() {
        let numbers = |list: &[i64], descending| {
            let values: Vec<Value<'static>> = list.iter().map(|number| Value::I64(*number)).collect();
            ascend(values.iter(), descending)
        };
        assert!(numbers(&[1, 2, 7], false) && numbers(&[7, 2, 1], true));
        assert!(!numbers(&[7, 2, 1], false) && !numbers(&[1, 2, 7], true));
        assert!(!numbers(&[5, 6, 1], false) && !numbers(&[2, 1, 4], false) && !numbers(&[3, 3], false));
    }
}
