//! The relationships of the models, each from both of its ends.

use limbeck::Result;
use limbeck::model::{Model, Related};
use limbeck::session::Session;

use crate::models::*;
use crate::objects::{Any, Typed};
use crate::reference::{Fk, Kind};

/// A relationship, from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// From the row with the key.
    One(Fk),
    /// From the row that is referred to.
    Back(Fk),
    /// The association, from the task.
    Tags,
    /// The association, from the tag.
    Tagged,
}

/// Those of foreign keys first.
pub const SIDES: [Side; 24] = [
    Side::One(Fk::Boss),
    Side::Back(Fk::Boss),
    Side::One(Fk::ProfileOf),
    Side::Back(Fk::ProfileOf),
    Side::One(Fk::PassportOf),
    Side::Back(Fk::PassportOf),
    Side::One(Fk::TaskOf),
    Side::Back(Fk::TaskOf),
    Side::One(Fk::TaskIn),
    Side::Back(Fk::TaskIn),
    Side::One(Fk::PinOf),
    Side::Back(Fk::PinOf),
    Side::One(Fk::BadgeOf),
    Side::Back(Fk::BadgeOf),
    Side::One(Fk::DocOf),
    Side::Back(Fk::DocOf),
    Side::One(Fk::PageOf),
    Side::Back(Fk::PageOf),
    Side::One(Fk::CoverOf),
    Side::Back(Fk::CoverOf),
    Side::One(Fk::MarkOf),
    Side::Back(Fk::MarkOf),
    Side::Tags,
    Side::Tagged,
];

/// Runs an expression with the relationship.
#[macro_export]
macro_rules! on_side {
    ($side:expr, $relation:ident => $run:expr) => {
        match $side {
            Side::One(Fk::Boss) => {
                let $relation = Person.boss;
                $run
            }
            Side::Back(Fk::Boss) => {
                let $relation = Person.reports;
                $run
            }
            Side::One(Fk::ProfileOf) => {
                let $relation = Profile.person;
                $run
            }
            Side::Back(Fk::ProfileOf) => {
                let $relation = Person.profile;
                $run
            }
            Side::One(Fk::PassportOf) => {
                let $relation = Passport.person;
                $run
            }
            Side::Back(Fk::PassportOf) => {
                let $relation = Person.passport;
                $run
            }
            Side::One(Fk::TaskOf) => {
                let $relation = Task.person;
                $run
            }
            Side::Back(Fk::TaskOf) => {
                let $relation = Person.tasks;
                $run
            }
            Side::One(Fk::TaskIn) => {
                let $relation = Task.room;
                $run
            }
            Side::Back(Fk::TaskIn) => {
                let $relation = Room.tasks;
                $run
            }
            Side::One(Fk::PinOf) => {
                let $relation = Pin.person;
                $run
            }
            Side::Back(Fk::PinOf) => {
                let $relation = Person.pins;
                $run
            }
            Side::One(Fk::BadgeOf) => {
                let $relation = Badge.person;
                $run
            }
            Side::Back(Fk::BadgeOf) => {
                let $relation = Person.badges;
                $run
            }
            Side::One(Fk::DocOf) => {
                let $relation = Doc.person;
                $run
            }
            Side::Back(Fk::DocOf) => {
                let $relation = Person.docs;
                $run
            }
            Side::One(Fk::PageOf) => {
                let $relation = Page.doc;
                $run
            }
            Side::Back(Fk::PageOf) => {
                let $relation = Doc.pages;
                $run
            }
            Side::One(Fk::CoverOf) => {
                let $relation = Cover.doc;
                $run
            }
            Side::Back(Fk::CoverOf) => {
                let $relation = Doc.cover;
                $run
            }
            Side::One(Fk::MarkOf) => {
                let $relation = Mark.page;
                $run
            }
            Side::Back(Fk::MarkOf) => {
                let $relation = Page.marks;
                $run
            }
            Side::Tags => {
                let $relation = Task.tags;
                $run
            }
            Side::Tagged => {
                let $relation = Tag.tasks;
                $run
            }
        }
    };
}

impl Side {
    pub fn owner(self) -> Kind {
        match self {
            Side::One(fk) => fk.child(),
            Side::Back(fk) => fk.parent(),
            Side::Tags => Kind::Task,
            Side::Tagged => Kind::Tag,
        }
    }

    pub fn target(self) -> Kind {
        match self {
            Side::One(fk) => fk.parent(),
            Side::Back(fk) => fk.child(),
            Side::Tags => Kind::Tag,
            Side::Tagged => Kind::Task,
        }
    }

    /// `Task.tags`
    pub fn label(self) -> &'static str {
        on_side!(self, relation => label(relation))
    }
}

fn label<R: Related>(relation: R) -> &'static str {
    R::Owner::def().relations[relation.index()].label
}

pub fn link(session: &mut Session, side: Side, owner: Any, target: Any) -> Result<()> {
    fn run<R: Related>(session: &mut Session, relation: R, owner: Any, target: Any) -> Result<()>
    where
        R::Owner: Typed,
        R::Target: Typed,
    {
        session.link(R::Owner::unwrap(owner), relation, R::Target::unwrap(target))
    }
    on_side!(side, relation => run(session, relation, owner, target))
}

pub fn unlink(session: &mut Session, side: Side, owner: Any, target: Any) -> Result<()> {
    fn run<R: Related>(session: &mut Session, relation: R, owner: Any, target: Any) -> Result<()>
    where
        R::Owner: Typed,
        R::Target: Typed,
    {
        session.unlink(R::Owner::unwrap(owner), relation, R::Target::unwrap(target))
    }
    on_side!(side, relation => run(session, relation, owner, target))
}

pub async fn assign(session: &mut Session, side: Side, owner: Any, targets: &[Any]) -> Result<()> {
    async fn run<R: Related>(session: &mut Session, relation: R, owner: Any, targets: &[Any]) -> Result<()>
    where
        R::Owner: Typed,
        R::Target: Typed,
    {
        let targets: Vec<_> = targets.iter().map(|target| R::Target::unwrap(*target)).collect();
        session.assign(R::Owner::unwrap(owner), relation, targets).await
    }
    on_side!(side, relation => run(session, relation, owner, targets).await)
}

/// Loads a relationship of some objects; what the first then has.
pub async fn load(session: &mut Session, side: Side, owners: &[Any]) -> Result<Vec<Any>> {
    async fn run<R>(session: &mut Session, relation: R, owners: &[Any]) -> Result<Vec<Any>>
    where
        R: Related + limbeck::sql::IntoLoad<R::Owner>,
        R::Owner: Typed,
        R::Target: Typed,
    {
        let owners: Vec<_> = owners.iter().map(|owner| R::Owner::unwrap(*owner)).collect();
        session.load(&owners, relation).await?;
        let mut found: Vec<Any> = Vec::new();
        for owner in owners {
            found.extend(session.related(owner, relation).await?.into_iter().map(R::Target::wrap));
        }
        Ok(found)
    }
    on_side!(side, relation => run(session, relation, owners).await)
}
