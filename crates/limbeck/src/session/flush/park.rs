//! A place to stand aside: what a row holds while another takes its unique value.
//!
//! NULL where the column can be NULL, since NULL is equal to nothing. Otherwise a value that no row has, derived
//! from the column's type: random text, a random UUID or random bytes; for integers one of the lower half of the
//! negative ones, for times a microsecond of the first centuries. That no row has it is certain for rows of the
//! flush, and for other rows as likely as that no two UUIDs are equal; only `i16` has no more than 16,384 such values.
//! What it is does not matter: it is overwritten, or deleted, before the flush ends.
//!
//! Where a value cannot be made up, there is no place: a foreign key would refer to nothing, a CHECK might refuse
//! it, and `bool`, enums, dates, decimals and short text have too few values.

use std::hash::{BuildHasher, Hasher};

use rustc_hash::FxHashSet;

use crate::model::mapping::Unique;
use crate::model::{ModelDef, registry};
use crate::schema::{Action, SqlType};
use crate::session::objects::{Obj, Objects};
use crate::session::read::kind_of;
use crate::types::{Kind, Value};

/// The fewest characters that are enough for text to be like no other.
const SHORTEST: usize = 12;
/// As many are used, where there is room.
const LONGEST: usize = 32;

/// A column that can be written over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) column: usize,
    pub(super) null: bool,
}

/// The column by which a row can let go of what it has of a unique key, if there is one. A row that is
/// deleted has to be found by its key later.
pub(super) fn spot(model: &'static ModelDef, unique: &Unique, doomed: bool) -> Option<Spot> {
    let null = unique.nulls.iter().find(|column| !is_referred_to(model, *column) && !wants_a_value(model, *column));
    if let Some(column) = null {
        return Some(Spot { column, null: true });
    }
    let free = |column: &&usize| {
        let def = &model.columns[**column];
        let needed = def.is_read_only()
            || def.deferred
            || (doomed && model.primary_key.contains(*column))
            || is_key(model, **column)
            || is_referred_to(model, **column)
            || is_checked(model, **column);
        !needed && has_values(model, **column)
    };
    unique.columns.iter().find(free).map(|column| Spot { column: *column, null: false })
}

/// Whether it is a column of a foreign key.
fn is_key(model: &'static ModelDef, column: usize) -> bool {
    model.mapping().is_ok_and(|mapping| mapping.references.iter().any(|reference| reference.has(column)))
}

/// Whether rows may refer to it that would not follow.
fn is_referred_to(model: &'static ModelDef, column: usize) -> bool {
    registry::all().any(|other| {
        let references = other.references();
        references.iter().any(|reference| {
            std::ptr::eq(reference.target, model)
                && reference.on_update != Action::Cascade
                && reference.keys.iter().any(|pair| pair.to == column)
        })
    })
}

/// Whether a CHECK may have a say.
fn is_checked(model: &ModelDef, column: usize) -> bool {
    let name = model.columns[column].name;
    model.options.checks.iter().any(|check| check.column == Some(column) || check.expression.contains(name))
}

/// Whether a CHECK asks for NULL or not: others are not broken by it.
fn wants_a_value(model: &ModelDef, column: usize) -> bool {
    is_checked(model, column)
        && model.options.checks.iter().any(|check| {
            let expression = check.expression.to_ascii_lowercase();
            expression.contains("null") || expression.contains("coalesce")
        })
}

fn has_values(model: &ModelDef, column: usize) -> bool {
    match model.columns[column].sql_type {
        SqlType::SmallInteger | SqlType::Integer | SqlType::BigInteger => true,
        SqlType::String { length } => length.is_none_or(|length| length as usize >= SHORTEST),
        SqlType::Text | SqlType::LargeBinary | SqlType::Uuid { .. } | SqlType::DateTime { .. } => true,
        _ => false,
    }
}

/// Values that no row has.
#[derive(Default)]
pub(super) struct Values {
    /// Integers that rows of the flush have, or were given here: by model, column and value.
    taken: FxHashSet<(usize, usize, i64)>,
    /// The columns whose integers were looked at.
    seen: FxHashSet<(usize, usize)>,
}

impl Values {
    /// A value for a column that [`spot`] found; `None` when there is none left. `rows` are those of the flush.
    pub(super) fn make(
        &mut self,
        objects: &Objects,
        model: &'static ModelDef,
        spot: Spot,
        rows: &mut dyn Iterator<Item = Obj>,
    ) -> Option<Value<'static>> {
        if spot.null {
            return Some(Value::Null);
        }
        let kind = kind_of(model, spot.column);
        if matches!(kind, Kind::I16 | Kind::I32) && self.seen.insert((model.id.get(), spot.column)) {
            for obj in rows {
                let store = objects.store(obj);
                for value in [store.value(obj.slot, spot.column), store.saved_value(obj.slot, spot.column)] {
                    let value = match value {
                        Value::I16(value) => i64::from(value),
                        Value::I32(value) => i64::from(value),
                        _ => continue,
                    };
                    self.taken.insert((model.id.get(), spot.column, value));
                }
            }
        }
        Some(match kind {
            Kind::I16 => Value::I16(self.integer(model, spot.column, i64::from(i16::MIN))? as i16),
            Kind::I32 => Value::I32(self.integer(model, spot.column, i64::from(i32::MIN))? as i32),
            Kind::I64 => Value::I64(self.integer(model, spot.column, i64::MIN)?),
            // Years 1 to 1000 of the common era, which all databases have.
            Kind::DateTime | Kind::Timestamp => {
                const FIRST: i64 = -62_135_596_800_000_000;
                const MICROSECONDS: u64 = 31_556_952_000_000 * 999;
                let at = FIRST + (random() % MICROSECONDS) as i64;
                if kind == Kind::DateTime { Value::DateTime(at) } else { Value::Timestamp(at) }
            }
            Kind::Uuid | Kind::UuidText => {
                let mut bytes = random_bytes();
                // Version 4, for who looks at it.
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                Value::Uuid(bytes)
            }
            Kind::Bytes => Value::Bytes(random_bytes().to_vec().into()),
            _ => {
                let most = match model.columns[spot.column].sql_type {
                    SqlType::String { length: Some(length) } => (*length as usize).min(LONGEST),
                    _ => LONGEST,
                };
                let mut text: String = random_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
                text.truncate(most);
                Value::Text(text.into())
            }
        })
    }

    /// One of the lower half of the negative numbers of a type.
    fn integer(&mut self, model: &ModelDef, column: usize, least: i64) -> Option<i64> {
        let range = least.unsigned_abs() / 2;
        let (model, start) = (model.id.get(), random() % range);
        // From somewhere on, all others in a row.
        let mut all = (0..range).map(|step| least + ((start + step) % range) as i64);
        all.find(|value| self.taken.insert((model, column, *value)))
    }
}

fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random().to_ne_bytes());
    bytes[8..].copy_from_slice(&random().to_ne_bytes());
    bytes
}
