//! Objects with a row that lost the parent they cannot be without.
//!
//! It is decided at the flush: what was taken from one parent and given to another in between was moved, and stays.
//! An object that never had such a parent is none: one whose key was given by value has no parent object either.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{is_claimed, orphaning, own_key};
use crate::error::Result;
use crate::model::mapping::{KeyPair, Path};
use crate::model::{Cascade, ModelDef};
use crate::session::Session;
use crate::session::objects::{Obj, Objects};
use crate::session::store::State;
use crate::sql::keys::{KeyList, RowKey};

/// The rows that objects of a model pointed to by a key that says something else now.
struct Left {
    model: &'static ModelDef,
    target: &'static ModelDef,
    keys: &'static [KeyPair],
    /// Those that the session has.
    here: Vec<Obj>,
    /// The keys of those that it has not.
    elsewhere: Vec<RowKey>,
}

impl Session {
    /// Marks the objects that became orphans since the last flush, and returns them.
    pub(super) async fn orphans(&mut self) -> Result<Vec<Obj>> {
        let mut orphans = self.objects.unlinked_children();
        orphans.extend(self.left_targets().await?);
        orphans.extend(self.unassociated().await?);
        orphans.extend(self.evicted_orphans().await?);
        orphans.retain(|obj| self.objects.doom(*obj));
        Ok(orphans)
    }

    /// What objects led to alone, by a key of their own.
    async fn left_targets(&mut self) -> Result<Vec<Obj>> {
        let mut orphans = Vec::new();
        for left in self.objects.left() {
            let Left { model, target, keys, mut here, elsewhere } = left;
            if !elsewhere.is_empty() {
                let columns = KeyPair::referred(keys);
                let mut list = KeyList::new(columns.len());
                elsewhere.iter().for_each(|key| list.push(key));
                for (_, handle) in self.tracked_by(target, &columns, &[], list).await? {
                    here.push(self.objects.resolve(target, handle)?);
                }
            }
            let id = model.id.get() as u32;
            let linked = self.objects.linked.iter().filter(|obj| obj.model == id && !self.objects.is_going(**obj));
            let wanted: FxHashSet<Obj> = linked.filter_map(|obj| self.objects.planned(*obj, keys)?).collect();
            orphans.extend(here.into_iter().filter(|obj| !wanted.contains(obj)));
        }
        Ok(orphans)
    }

    /// What was taken out of associations, where the row was there.
    async fn unassociated(&mut self) -> Result<Vec<Obj>> {
        let mut rows = self.objects.unassociated();
        // Not in the order of a hash.
        rows.sort_by_key(|(_, relation, owner, target, _)| (*owner, *relation, *target));
        let mut orphans = Vec::new();
        let mut unseen: Vec<(&'static ModelDef, usize, Obj, Obj)> = Vec::new();
        for (model, relation, owner, target, seen) in rows {
            if seen { orphans.push(target) } else { unseen.push((model, relation, owner, target)) }
        }
        unseen.sort_by_key(|(model, relation, owner, _)| (model.id.get(), *relation, *owner));
        for group in unseen.chunk_by(|a, b| std::ptr::eq(a.0, b.0) && a.1 == b.1) {
            let Some((model, relation, ..)) = group.first().copied() else { continue };
            let Path::ManyToMany(link) = &model.mapping()?.relations[relation].path else { continue };
            let mut owners: Vec<Obj> = group.iter().map(|(.., owner, _)| *owner).collect();
            owners.dedup();
            let target = (model.relations[relation].target)();
            let found = self.associated_rows(&owners, relation, link).await?;
            let mut there: FxHashSet<(Obj, Obj)> = FxHashSet::default();
            for (owner, handle) in found {
                there.insert((owners[owner as usize], self.objects.resolve(target, handle)?));
            }
            let met = group.iter().filter(|(.., owner, target)| there.contains(&(*owner, *target)));
            orphans.extend(met.map(|(.., target)| *target));
        }
        Ok(orphans)
    }

    /// Who had a place in a one-to-one relationship that was taken without knowing who has it.
    async fn evicted_orphans(&mut self) -> Result<Vec<Obj>> {
        let mut places: Vec<(Obj, usize)> = self.objects.evictions.iter().copied().collect();
        places.retain(|(parent, relation)| {
            self.objects.cascades(*parent, *relation, Cascade::DELETE_ORPHAN) && !self.objects.is_going(*parent)
        });
        places.sort_unstable_by_key(|(parent, relation)| (parent.model, *relation, parent.slot));
        let mut orphans = Vec::new();
        for group in places.chunk_by(|a, b| a.0.model == b.0.model && a.1 == b.1) {
            let Some((first, relation)) = group.first() else { continue };
            let resolved = &self.objects.store(*first).model().mapping()?.relations[*relation];
            let Path::HasOne(keys) = &resolved.path else { continue };
            let (own, to) = (KeyPair::columns(keys), KeyPair::referred(keys));
            let mut list = KeyList::new(to.len());
            group.iter().filter_map(|(parent, _)| self.objects.key_in(*parent, &to)).for_each(|key| list.push(&key));
            for (_, handle) in self.tracked_by(resolved.target, &own, &[], list).await? {
                let child = self.objects.resolve(resolved.target, handle)?;
                // The newcomer itself, or one that went elsewhere.
                if self.objects.planned(child, keys).is_none() {
                    orphans.push(child);
                }
            }
        }
        Ok(orphans)
    }
}

impl Objects {
    /// Children with a row whose key is to be set to NULL, where that makes them orphans.
    fn unlinked_children(&self) -> Vec<Obj> {
        let is_orphan = |obj: &Obj| {
            let store = self.store(*obj);
            let meta = store.meta(obj.slot);
            let model = store.model();
            meta.state == State::Persistent
                && !meta.doomed
                && model.mapping().is_ok_and(|mapping| !mapping.claims.is_empty())
                && meta.links.iter().any(|link| {
                    // A key that was written as well says something else, and has the last word.
                    let written = || link.keys.iter().any(|pair| store.changed(obj.slot).contains(pair.key));
                    link.target.is_none() && is_claimed(model, link.keys, link.label) && !written()
                })
        };
        self.linked.iter().copied().filter(is_orphan).collect()
    }

    /// What objects led to alone at the last flush, and lead to no more.
    fn left(&self) -> Vec<Left> {
        let mut lefts: Vec<Left> = Vec::new();
        let mut places: FxHashMap<(u32, usize), usize> = FxHashMap::default();
        for obj in &self.linked {
            let model = self.store(*obj).model();
            let Ok(mapping) = model.mapping() else { continue };
            if !mapping.orphans_target || self.state(*obj) != State::Persistent || self.is_expired(*obj) {
                continue;
            }
            for relation in &mapping.deleting {
                let Some(keys) = own_key(model, *relation) else { continue };
                if !self.cascades(*obj, *relation, Cascade::DELETE_ORPHAN) {
                    continue;
                }
                let Some(now) = self.planned(*obj, keys) else { continue };
                let target = mapping.relations[*relation].target;
                let columns = KeyPair::columns(keys);
                let Some(key) = self.saved_key_in(*obj, &columns) else { continue };
                let then = self.by_saved_key(*obj, keys, target);
                if then.is_some() && then == now {
                    continue;
                }
                let place = *places.entry((obj.model, *relation)).or_insert_with(|| {
                    lefts.push(Left { model, target, keys, here: Vec::new(), elsewhere: Vec::new() });
                    lefts.len() - 1
                });
                match then {
                    Some(then) => lefts[place].here.push(then),
                    None => lefts[place].elsewhere.push(key),
                }
            }
        }
        lefts
    }

    /// Rows of associations that are taken away and leave an orphan, unless it is in another one by the same
    /// relationship; and whether the row is known to be there.
    fn unassociated(&self) -> Vec<(&'static ModelDef, usize, Obj, Obj, bool)> {
        let mut kept: FxHashSet<(usize, usize, Obj)> = FxHashSet::default();
        for row in self.link_rows.values().filter(|row| row.add) {
            if let Some((model, relation, owner, target)) = orphaning(row)
                && !self.is_going(owner)
            {
                kept.insert((model.id.get(), relation, target));
            }
        }
        let gone = self.link_rows.values().filter(|row| !row.add).filter_map(|row| {
            let (model, relation, owner, target) = orphaning(row)?;
            let stays = kept.contains(&(model.id.get(), relation, target));
            (!stays && self.state(target) == State::Persistent).then_some((model, relation, owner, target, row.seen))
        });
        gone.collect()
    }
}
