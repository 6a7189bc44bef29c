//! Which revisions lie between where a database is and where it should be.
//!
//! Two kinds of edges lead down from a revision: to those that it follows, which make lines, branches and merges,
//! and to those of other branches that it depends on. Both are applied first and taken back last; only the first
//! decide what a head is and where a step leads.

use std::collections::BTreeSet;

use super::target::Place;
use super::{History, Revision, Target};
use crate::error::{Error, Result};

/// A place among revisions: before the first, or at one.
enum Goal<'a> {
    Base,
    At(&'a Revision),
}

impl History {
    /// The revisions to apply, in order, for a database that has `applied` ones.
    ///
    /// # Errors
    /// When the target is not above, is several, or the database has a revision that is not among these.
    pub fn upgrades(&self, applied: &BTreeSet<String>, target: &Target) -> Result<Vec<&Revision>> {
        self.check_known(applied)?;
        let branch = self.branch(target)?;
        let on_branch = |r: &&Revision| branch.as_ref().is_none_or(|branch| branch.contains(r.id.as_str()));
        let goals: Vec<&Revision> = match (&target.place, target.steps) {
            (Place::Heads, _) => self.heads().into_iter().filter(on_branch).collect(),
            (Place::Current, steps) if steps > 0 => {
                if branch.is_none() {
                    self.head()?;
                }
                let mut pending: Vec<&Revision> =
                    self.revisions().iter().filter(|r| !applied.contains(&r.id)).filter(on_branch).collect();
                let wanted = usize::try_from(steps).unwrap_or(usize::MAX);
                if pending.len() < wanted {
                    return Err(Error::Revision(format!(
                        "only {} revision(s) are pending, not {steps}",
                        pending.len()
                    )));
                }
                pending.truncate(wanted);
                pending
            }
            (Place::Current, _) | (Place::Base, 0) => {
                return Err(Error::Revision(
                    "an upgrade goes up: head, +1, or a revision; to go down use `limbeck downgrade`".into(),
                ));
            }
            _ => match self.goal(target, branch.as_ref())? {
                Some(Goal::At(revision)) => vec![revision],
                Some(Goal::Base) | None => Vec::new(),
            },
        };
        let wanted = self.below(goals);
        Ok(self.revisions().iter().filter(|r| wanted.contains(r.id.as_str()) && !applied.contains(&r.id)).collect())
    }

    /// The revisions to take back, in order, for a database that has `applied` ones.
    ///
    /// # Errors
    /// When the target is not below, or the database has a revision that is not among these.
    pub fn downgrades(&self, applied: &BTreeSet<String>, target: &Target) -> Result<Vec<&Revision>> {
        self.check_known(applied)?;
        let branch = self.branch(target)?;
        let on_branch = |r: &&Revision| branch.as_ref().is_none_or(|branch| branch.contains(r.id.as_str()));
        let mut downward: Vec<&Revision> = self.revisions().iter().filter(|r| applied.contains(&r.id)).collect();
        downward.reverse();
        let first: Vec<&Revision> = match (&target.place, target.steps) {
            (Place::Current, steps) if steps < 0 => {
                let current = self.current(applied);
                if branch.is_none() && current.len() > 1 {
                    let names: Vec<&str> = current.iter().map(|r| r.id.as_str()).collect();
                    return Err(Error::Revision(format!(
                        "the database is at {}, so `{steps}` is not clear: say the branch, as in `{}@{steps}`",
                        names.join(" and "),
                        names[0]
                    )));
                }
                let mut own: Vec<&Revision> = downward.iter().copied().filter(on_branch).collect();
                let wanted = usize::try_from(steps.unsigned_abs()).unwrap_or(usize::MAX);
                if own.len() < wanted {
                    return Err(Error::Revision(format!("only {} revision(s) are applied, not {}", own.len(), -steps)));
                }
                own.truncate(wanted);
                own
            }
            (Place::Current | Place::Heads, _) | (Place::Head, 0) => {
                return Err(Error::Revision("a downgrade goes down: -1, base, or a revision".into()));
            }
            _ => match self.goal(target, branch.as_ref())? {
                None => return Ok(Vec::new()),
                // Back to before a branch takes back the branch; back to before everything, everything.
                Some(Goal::Base) => downward.iter().copied().filter(on_branch).collect(),
                Some(Goal::At(goal)) => {
                    if !applied.contains(&goal.id) {
                        return Err(Error::Revision(format!(
                            "the database does not have revision {}, so it cannot go down to it",
                            goal.id
                        )));
                    }
                    self.followers(&goal.id).into_iter().filter(on_branch).collect()
                }
            },
        };
        let gone = self.above(first);
        Ok(downward.into_iter().filter(|r| gone.contains(r.id.as_str())).collect())
    }

    /// The applied revisions that no other applied one follows.
    pub fn current<'a>(&'a self, applied: &BTreeSet<String>) -> Vec<&'a Revision> {
        let followed: BTreeSet<&str> = self
            .revisions()
            .iter()
            .filter(|r| applied.contains(&r.id))
            .flat_map(|r| &r.parents)
            .map(String::as_str)
            .collect();
        self.revisions().iter().filter(|r| applied.contains(&r.id) && !followed.contains(r.id.as_str())).collect()
    }

    /// The revisions of a range `a:b`, in order, both ends among them: `a:` is all after, `:b` all before, and an end
    /// may be what [`Target`] can say. `current` is where the database is, which has `applied` ones.
    ///
    /// # Errors
    /// When an end cannot be read or is not there, or `current` is said and `applied` is not known.
    pub fn range(&self, text: &str, applied: Option<&BTreeSet<String>>) -> Result<Vec<&Revision>> {
        let Some((from, to)) = text.split_once(':') else {
            return Err(Error::Revision(format!("`{text}` is not a range of revisions, such as base:head or 3f2a:")));
        };
        let end = |text: &str| match (text, applied) {
            ("current", Some(applied)) => Ok(self.current(applied)),
            ("current", None) => {
                Err(Error::Revision("`current` is where a database is, and none is asked here".into()))
            }
            _ => self.places(&Target::parse(text)?),
        };
        let below = match to {
            "" => self.below(self.heads()),
            to => self.below(end(to)?),
        };
        let above = match from {
            "" | "base" => self.below(self.heads()),
            from => self.above(end(from)?),
        };
        let inside = |r: &&Revision| below.contains(r.id.as_str()) && above.contains(r.id.as_str());
        Ok(self.revisions().iter().filter(inside).collect())
    }

    /// The revisions that a text names, as [`Target`] reads it: one as a rule, several for `heads`, none for `base`.
    ///
    /// # Errors
    /// When it cannot be read, or is not clear.
    pub fn named(&self, text: &str) -> Result<Vec<&Revision>> {
        self.places(&Target::parse(text)?)
    }

    /// The revisions that a target names, without a look at any database: none for the base.
    pub(crate) fn places(&self, target: &Target) -> Result<Vec<&Revision>> {
        let branch = self.branch(target)?;
        match target.place {
            Place::Current => Err(Error::Revision("steps need a revision to begin at, as in `head-1`".into())),
            Place::Heads => {
                let on_branch = |r: &&Revision| branch.as_ref().is_none_or(|branch| branch.contains(r.id.as_str()));
                Ok(self.heads().into_iter().filter(on_branch).collect())
            }
            _ => Ok(match self.goal(target, branch.as_ref())? {
                Some(Goal::At(revision)) => vec![revision],
                Some(Goal::Base) | None => Vec::new(),
            }),
        }
    }

    /// A revision and all that has to be applied before it.
    pub(crate) fn below<'a>(&'a self, from: Vec<&'a Revision>) -> BTreeSet<&'a str> {
        let mut seen = BTreeSet::new();
        let mut next = from;
        while let Some(revision) = next.pop() {
            if seen.insert(revision.id.as_str()) {
                next.extend(revision.needs().filter_map(|id| self.get(id)));
            }
        }
        seen
    }

    /// Revisions and all that need one of them.
    pub(crate) fn above<'a>(&'a self, from: Vec<&'a Revision>) -> BTreeSet<&'a str> {
        let mut seen: BTreeSet<&str> = from.into_iter().map(|r| r.id.as_str()).collect();
        // Parents come first in the list, so once through is enough.
        for revision in self.revisions() {
            if revision.needs().any(|id| seen.contains(id)) {
                seen.insert(&revision.id);
            }
        }
        seen
    }

    /// The revisions that follow one directly.
    pub(super) fn followers(&self, id: &str) -> Vec<&Revision> {
        self.revisions().iter().filter(|r| r.parents.iter().any(|parent| parent == id)).collect()
    }

    /// The revisions of a target's branch: the one that is named, those that lead to it alone, and all that follow.
    fn branch(&self, target: &Target) -> Result<Option<BTreeSet<&str>>> {
        let Some(name) = &target.branch else { return Ok(None) };
        let first = self.find(name)?;
        let mut members: BTreeSet<&str> = BTreeSet::from([first.id.as_str()]);
        for revision in self.revisions() {
            if revision.parents.iter().any(|parent| members.contains(parent.as_str())) {
                members.insert(&revision.id);
            }
        }
        let mut at = first;
        while let [parent] = &at.parents[..]
            && self.followers(parent).len() == 1
            && let Some(parent) = self.get(parent)
        {
            members.insert(&parent.id);
            at = parent;
        }
        Ok(Some(members))
    }

    /// Where a target is that names a place: `None` for the head of no revisions.
    fn goal(&self, target: &Target, branch: Option<&BTreeSet<&str>>) -> Result<Option<Goal<'_>>> {
        let start = match &target.place {
            Place::Base => Goal::Base,
            Place::Named(name) => {
                let revision = self.find(name)?;
                if branch.is_some_and(|branch| !branch.contains(revision.id.as_str())) {
                    let branch = target.branch.as_deref().unwrap_or_default();
                    return Err(Error::Revision(format!("revision {} is not on the branch {branch}", revision.id)));
                }
                Goal::At(revision)
            }
            _ => {
                let heads: Vec<&Revision> = match branch {
                    Some(branch) => self.heads().into_iter().filter(|r| branch.contains(r.id.as_str())).collect(),
                    None => self.head()?.into_iter().collect(),
                };
                match heads[..] {
                    [] => return Ok(None),
                    [head] => Goal::At(head),
                    ref several => return Err(not_clear("the branch has several heads", several)),
                }
            }
        };
        Ok(Some(self.walk(start, target.steps)?))
    }

    fn walk<'a>(&'a self, start: Goal<'a>, steps: i64) -> Result<Goal<'a>> {
        let mut at = start;
        for _ in 0..steps.unsigned_abs() {
            at = match at {
                Goal::Base if steps > 0 => {
                    let first: Vec<&Revision> = self.revisions().iter().filter(|r| r.parents.is_empty()).collect();
                    one_of(&first, "above the base").map(Goal::At)?
                }
                Goal::Base => return Err(Error::Revision("there is nothing below the base".into())),
                Goal::At(revision) if steps > 0 => {
                    one_of(&self.followers(&revision.id), &format!("above {}", revision.id)).map(Goal::At)?
                }
                Goal::At(revision) if revision.parents.is_empty() => Goal::Base,
                Goal::At(revision) => {
                    let parents: Vec<&Revision> = revision.parents.iter().filter_map(|id| self.get(id)).collect();
                    one_of(&parents, &format!("below {}", revision.id)).map(Goal::At)?
                }
            };
        }
        Ok(at)
    }

    fn check_known(&self, applied: &BTreeSet<String>) -> Result<()> {
        match applied.iter().find(|id| self.get(id).is_none()) {
            Some(id) => Err(Error::Revision(format!(
                "the database has revision {id}, which is not among the migrations here: are they older than the database?"
            ))),
            None => Ok(()),
        }
    }
}

fn one_of<'a>(revisions: &[&'a Revision], place: &str) -> Result<&'a Revision> {
    match revisions {
        [one] => Ok(one),
        [] => Err(Error::Revision(format!("there is no revision {place}"))),
        several => Err(not_clear(&format!("there are several revisions {place}"), several)),
    }
}

fn not_clear(what: &str, several: &[&Revision]) -> Error {
    let ids: Vec<&str> = several.iter().map(|r| r.id.as_str()).collect();
    Error::Revision(format!("{what}, {}: say which by its id", ids.join(" and ")))
}
