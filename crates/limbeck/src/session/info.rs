//! What a program keeps with a session: who is signed in, which request this is. SQLAlchemy's `session.info`.

use std::any::{Any, TypeId};

use rustc_hash::FxHashMap;

use super::Session;

/// One value of each type.
pub(crate) type Info = FxHashMap<TypeId, Box<dyn Any + Send + Sync>>;

impl Session {
    /// Keeps a value with the session, for its hooks to find: one of each type. Returns the one that was there before.
    ///
    /// ```
    /// # use limbeck::prelude::*;
    /// struct CurrentUser(i64);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> limbeck::Result<()> {
    /// # let engine = Engine::builder("sqlite::memory:").connect().await?;
    /// # let mut session = engine.sessionmaker().open();
    /// session.set_info(CurrentUser(7));
    /// assert_eq!(session.info::<CurrentUser>().map(|user| user.0), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_info<T: Send + Sync + 'static>(&mut self, value: T) -> Option<T> {
        let before = self.info.get_or_insert_default().insert(TypeId::of::<T>(), Box::new(value));
        before.and_then(|value| value.downcast().ok()).map(|value| *value)
    }

    /// The value of this type that was kept with the session.
    pub fn info<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.info.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// The same, to change.
    pub fn info_mut<T: Send + Sync + 'static>(&mut self) -> Option<&mut T> {
        self.info.as_mut()?.get_mut(&TypeId::of::<T>())?.downcast_mut()
    }

    /// Takes the value of this type out.
    pub fn take_info<T: Send + Sync + 'static>(&mut self) -> Option<T> {
        let value = self.info.as_mut()?.remove(&TypeId::of::<T>())?;
        value.downcast().ok().map(|value| *value)
    }
}
