//! Unique constraints and indexes.

use std::collections::BTreeSet;

use limbeck::dialect::Dialect;
use limbeck::schema::{Deferrable, Index, Table, UniqueConstraint};

use super::{Op, Parts, Spelling};

impl Parts {
    /// Unique constraints and indexes. A unique index is as good as the constraint.
    pub(super) fn indexes(&mut self, dialect: Dialect, spelling: &Spelling, wanted: &Table, live: &Table) {
        let table = || wanted.full_name();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        let mut kept_uniques: BTreeSet<usize> = BTreeSet::new();
        // Names do not count, unless one is in the way of something else that is wanted.
        let in_the_way = |other: &Index| {
            let unique = |unique: &UniqueConstraint| {
                unique.name.as_ref() == Some(&other.name) && !(other.is_plain() && other.columns == unique.columns)
            };
            let index =
                |index: &Index| index.name == other.name && !spelling.same_index(dialect, &table(), index, other);
            wanted.uniques.iter().any(unique) || wanted.indexes.iter().any(index)
        };
        for unique in &wanted.uniques {
            let constraint = (0..live.uniques.len()).find(|&i| {
                let other = &live.uniques[i];
                !kept_uniques.contains(&i)
                    && other.columns == unique.columns
                    && other.nulls_not_distinct == unique.nulls_not_distinct
                    && other.deferrable == unique.deferrable
                    && spelling.same_name(unique.name.as_deref(), other.name.as_deref())
            });
            let index = live.indexes.iter().find(|index| {
                !spelling.exact
                    && index.is_plain()
                    && index.unique
                    && index.columns == unique.columns
                    && !unique.nulls_not_distinct
                    && unique.deferrable == Deferrable::NotDeferrable
                    && !in_the_way(index)
            });
            match (constraint, index) {
                (Some(i), _) => {
                    kept_uniques.insert(i);
                }
                (None, Some(index)) => {
                    kept.insert(&index.name);
                }
                (None, None) => self.add_indexes.push(Op::AddUnique { table: table(), unique: unique.clone() }),
            }
        }
        for index in &wanted.indexes {
            let same = |other: &&Index| {
                !kept.contains(other.name.as_str())
                    && !in_the_way(other)
                    && spelling.same_index(dialect, &table(), index, other)
            };
            // Of several alike, the one of that name stays.
            match live.indexes.iter().filter(same).max_by_key(|other| other.name == index.name) {
                Some(found) => {
                    kept.insert(&found.name);
                    if index.comment != found.comment {
                        let (name, from, to) = (found.name.clone(), found.comment.clone(), index.comment.clone());
                        self.comments.push(Op::SetComment { table: table(), index: Some(name), from, to });
                    }
                }
                None => self.add_indexes.push(Op::CreateIndex { table: table(), index: index.clone() }),
            }
        }
        for index in live.indexes.iter().filter(|index| !kept.contains(index.name.as_str())) {
            self.drop_indexes.push(Op::DropIndex { table: table(), index: index.clone() });
        }
        for i in (0..live.uniques.len()).filter(|i| !kept_uniques.contains(i)) {
            self.drop_indexes.push(Op::DropUnique { table: table(), unique: live.uniques[i].clone() });
        }
    }
}
