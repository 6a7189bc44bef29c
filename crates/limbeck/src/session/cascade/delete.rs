//! What is deleted with an object, level by level.

use crate::error::Result;
use crate::model::mapping::{KeyPair, Path};
use crate::model::{Handle, PassiveDeletes};
use crate::session::Session;
use crate::session::flush::check::same;
use crate::session::objects::{Obj, Objects};

impl Session {
    /// Marks what the objects of a level lead to by relationships with the cascade `delete`, and returns it. What is
    /// not loaded is loaded, in one query for each relationship, unless it is left to the database.
    pub(super) async fn delete_next(&mut self, mut level: Vec<Obj>) -> Result<Vec<Obj>> {
        // Stable: objects of a model stay in the order in which they were found.
        level.sort_by_key(|obj| obj.model);
        let mut next = Vec::new();
        for owners in level.chunk_by(|a, b| a.model == b.model) {
            let Some(first) = owners.first() else { continue };
            let model = self.objects.store(*first).model();
            for relation in &model.mapping()?.deleting {
                if model.relations[*relation].options.passive_deletes == PassiveDeletes::No {
                    let handles: Vec<Handle> = owners.iter().map(|obj| self.objects.handle(*obj)).collect();
                    self.load_raw(model, handles, *relation, &[]).await?;
                }
                let target = (model.relations[*relation].target)();
                let keys = match &model.mapping()?.relations[*relation].path {
                    Path::HasMany(keys) | Path::HasOne(keys) => keys.as_slice(),
                    Path::BelongsTo(_) | Path::ManyToMany(_) => &[],
                };
                for handle in self.objects.targets(owners, *relation) {
                    if let Ok(obj) = self.objects.resolve(target, handle)
                        && !self.objects.is_elsewhere(obj, keys, owners)
                        && self.objects.doom(obj)
                    {
                        next.push(obj);
                    }
                }
            }
        }
        Ok(next)
    }
}

impl Objects {
    /// Whether the key of a child says none of these parents, though their collections hold it: it was written by hand,
    /// or read again after others moved the row. Collections follow keys with the flush only.
    fn is_elsewhere(&self, child: Obj, keys: &[KeyPair], parents: &[Obj]) -> bool {
        if keys.is_empty() || self.planned(child, keys).is_some() || self.is_expired(child) {
            return false;
        }
        let key = |pair: &KeyPair| self.store(child).value(child.slot, pair.key);
        !parents.iter().any(|parent| {
            let store = self.store(*parent);
            let saved = || keys.iter().all(|pair| same(&key(pair), &store.saved_value(parent.slot, pair.to)));
            keys.iter().all(|pair| same(&key(pair), &store.value(parent.slot, pair.to))) || saved()
        })
    }
}
