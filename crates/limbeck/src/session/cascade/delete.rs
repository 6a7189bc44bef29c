//! What is deleted with an object, level by level.

use crate::error::Result;
use crate::model::{Handle, PassiveDeletes};
use crate::session::Session;
use crate::session::objects::Obj;

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
                for handle in self.objects.targets(owners, *relation) {
                    if let Ok(obj) = self.objects.resolve(target, handle)
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
