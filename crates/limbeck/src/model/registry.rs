//! The list of all models that are linked into the program.

use super::ModelDef;

/// A model of this program. `derive(Model)` submits one; migrations and `create_all` read them.
#[derive(Debug)]
pub struct Registered(pub fn() -> &'static ModelDef);

inventory::collect!(Registered);

/// Every model that is linked, in no particular order.
pub(crate) fn all() -> impl Iterator<Item = &'static ModelDef> {
    inventory::iter::<Registered>.into_iter().map(|registered| (registered.0)())
}

/// Every model that is linked into this program, ordered by module and name.
pub fn registered() -> Vec<&'static ModelDef> {
    let mut models: Vec<_> = all().collect();
    models.sort_by_key(|model| (model.module, model.name));
    models
}
