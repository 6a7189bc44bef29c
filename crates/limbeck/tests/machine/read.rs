//! Operations that read, and that have objects read again.

use std::collections::BTreeSet;

use limbeck::Error;
use limbeck::session::Session;

use crate::ensure;
use crate::machine::{Machine, Outcome, Trigger, said};
use crate::objects::{Any, Typed, all, count, get};
use crate::on;
use crate::reference::{Id, KINDS, Kind};
use crate::sides::{SIDES, load};

impl Machine {
    /// What a query does first.
    async fn before_query(&mut self, session: &mut Session) -> Outcome {
        if self.autoflush {
            self.settle(session, Trigger::Query).await?;
        }
        Ok(())
    }

    async fn after_query(&mut self, session: &mut Session) -> Outcome {
        if self.autoflush { self.after_flush(session).await } else { Ok(()) }
    }

    /// Rows that are there when a query runs.
    fn rows_for_query(&self, kind: Kind) -> Outcome<BTreeSet<Id>> {
        let world = if self.autoflush {
            self.now.flushed().map_err(|wrong| format!("{wrong:?}"))?
        } else {
            self.flushed.clone()
        };
        Ok(world.rows.iter().filter(|(_, row)| row.kind == kind).map(|(id, _)| *id).collect())
    }

    pub async fn query(&mut self, session: &mut Session, n: [u16; 4], eager: bool) -> Outcome<bool> {
        let kinds: &[Kind] =
            if eager { &[Kind::Person, Kind::Task, Kind::Profile, Kind::Tag, Kind::Doc] } else { &KINDS };
        let kind = kinds[usize::from(n[0]) % kinds.len()];
        self.before_query(session).await?;
        let wanted = self.rows_for_query(kind)?;
        self.say(format!("session.all(select({kind:?}){}).await?;", if eager { ".with(…)" } else { "" }));
        let found = all(session, kind, eager).await.map_err(said)?;
        let mut ids = BTreeSet::new();
        for (any, label) in found {
            let label = label.ok_or_else(|| format!("{any:?} was just read and is expired"))?;
            self.found(any, label)?;
            ensure!(ids.insert(label), "{} came twice", self.name(label));
        }
        ensure!(ids == wanted, "the query gave {ids:?}, and should have given {wanted:?}");
        self.after_query(session).await?;
        Ok(true)
    }

    pub async fn count(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        self.before_query(session).await?;
        let wanted = self.rows_for_query(kind)?.len() as u64;
        self.say(format!("session.count(select({kind:?})).await?;"));
        let found = count(session, kind).await.map_err(said)?;
        ensure!(found == wanted, "the count is {found}, and should be {wanted}");
        self.after_query(session).await?;
        Ok(true)
    }

    pub async fn get(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let of_kind = |id: &&Id| self.flushed.rows[*id].kind == kind;
        let rows: Vec<Id> = self.flushed.rows.keys().filter(of_kind).copied().collect();
        let Some(id) = rows.get(usize::from(n[1]) % rows.len().max(1)).copied() else { return Ok(false) };
        let key = self.views[&id].key.clone();
        // One whose key is being changed, or taken, is found by both.
        if matches!(kind, Kind::Room | Kind::Badge) && self.now != self.flushed {
            return Ok(false);
        }
        let here = self.handles.get(&id).copied();
        if here.is_none() {
            // The session may have it nevertheless, from a cascade.
            self.flush(session).await?;
            if !self.has_row(id) {
                return Ok(true);
            }
        }
        let current = match here {
            Some(any) => self.now.doomed.contains(&id) || !self.is_expired(session, any)?,
            None => false,
        };
        if !current {
            self.before_query(session).await?;
        }
        let wanted = if self.now.doomed.contains(&id) && current {
            false
        } else if current {
            true
        } else {
            self.rows_for_query(kind)?.contains(&id)
        };
        self.say(format!("session.get({kind:?}, {key}).await?; // {}", self.name(id)));
        let found = get(session, kind, &key).await.map_err(said)?;
        ensure!(found.is_some() == wanted, "`get` of {} gave {found:?}", self.name(id));
        if let Some(any) = found {
            self.found(any, id)?;
        }
        if !current {
            self.after_query(session).await?;
        }
        Ok(true)
    }

    pub async fn load(&mut self, session: &mut Session, n: [u16; 4], many: bool) -> Outcome<bool> {
        let side = SIDES[usize::from(n[0]) % SIDES.len()];
        self.before_query(session).await?;
        let rows = self.rows_for_query(side.owner())?;
        let stays = |id: Id| rows.contains(&id) || (!self.autoflush && !self.has_row(id));
        let Some((id, any)) = self.pick_where(side.owner(), n[1], stays) else {
            return Ok(false);
        };
        let mut owners = vec![any];
        if many {
            let others = self.now.of(side.owner()).filter(|other| *other != id && stays(*other));
            owners.extend(others.filter_map(|other| self.handles.get(&other)));
        }
        self.say(format!("session.load({} and {} more, {}).await?;", self.name(id), owners.len() - 1, side.label()));
        let found = load(session, side, &owners).await.map_err(said)?;
        for owner in &owners {
            let Some((_, related)) = owner.view(session).map_err(said)? else { continue };
            let loaded = related.iter().any(|(of, found)| *of == side && found.is_some());
            ensure!(loaded, "{} was loaded, and is not", side.label());
        }
        // An owner that is expired shows nothing of what was found.
        for any in &found {
            if !self.ids.contains_key(any) {
                let label = on!(*any, handle => session.try_get(handle).map(Typed::label));
                self.found(*any, label.map_err(said)?)?;
            }
        }
        self.learn(session)?;
        ensure!(found.iter().all(|any| self.ids.contains_key(any)), "`related` gave {found:?}");
        self.after_query(session).await?;
        Ok(true)
    }

    pub async fn refresh(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let has_row = |id: Id| self.has_row(id);
        let Some((id, any)) = self.pick_where(kind, n[1], has_row) else { return Ok(false) };
        let expired = self.is_expired(session, any)?;
        self.say(format!("session.refresh({}).await?;", self.name(id)));
        any.refresh(session).await.map_err(said)?;
        if !expired {
            self.revert(id);
        }
        Ok(true)
    }

    pub async fn fresh(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let expired: Vec<(Id, Any)> = self
            .now
            .rows
            .keys()
            .filter_map(|id| Some((*id, *self.handles.get(id)?)))
            .filter(|(_, any)| matches!(any.view(session), Ok(None)))
            .collect();
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let one = expired.get(usize::from(n[1]) % expired.len().max(1)).copied();
        let Some((id, any)) = one.or_else(|| self.pick(kind, n[2])) else { return Ok(false) };
        self.say(format!("session.fresh({}).await?;", self.name(id)));
        any.fresh(session).await.map_err(said)?;
        Ok(true)
    }

    pub async fn expire_all(&mut self, session: &mut Session) -> Outcome<bool> {
        // What is linked to objects that have no row yet stays planned; who lost a place by that is not.
        if self.now.rows.keys().any(|id| !self.has_row(*id)) {
            self.flush(session).await?;
        }
        self.say("session.expire_all();");
        session.expire_all();
        self.now = self.flushed.clone();
        self.uncertain.clear();
        self.displaced.clear();
        Ok(true)
    }

    pub fn expunge(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kind = KINDS[usize::from(n[0]) % KINDS.len()];
        let Some((id, any)) = self.pick(kind, n[1]) else { return Ok(false) };
        if !self.has_row(id) {
            self.remove(session, id, any)?;
            return Ok(true);
        }
        // Whether it still loses its place depends on whether the session knew that it had one.
        if matches!(kind, Kind::Profile | Kind::Cover) && self.is_linked(id) {
            return Ok(false);
        }
        self.say(format!("session.expunge({})?;", self.name(id)));
        let waits = |(other, row): (&Id, &crate::reference::Row)| {
            let old = self.flushed.rows.get(other);
            *other != id && row.refs.iter().any(|(fk, to)| *to == Some(id) && old.map(|old| &old.refs[fk]) != Some(to))
        };
        let needed = self.now.rows.iter().any(waits);
        match any.expunge(session) {
            Ok(()) => {
                ensure!(!needed, "{} was expunged, though others are linked to it", self.name(id));
                self.forget(id);
                let old = self.flushed.rows[&id].clone();
                self.now.rows.insert(id, old);
                let touches = |link: &(Id, Id)| link.0 == id || link.1 == id;
                self.now.links.retain(|link| !touches(link));
                self.now.links.extend(self.flushed.links.iter().filter(|link| touches(link)));
                Ok(true)
            }
            // Linked and unlinked again it may be planned still.
            Err(Error::InvalidState { .. }) => Ok(needed),
            Err(error) => Err(said(error)),
        }
    }

    pub async fn expunge_all(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        if n[0].is_multiple_of(2) {
            self.flush(session).await?;
        }
        self.say("session.expunge_all();");
        session.expunge_all();
        let handles: Vec<Any> = self.handles.values().chain(self.transient.values()).copied().collect();
        for any in handles {
            ensure!(matches!(any.state(session), Err(Error::StaleHandle { .. })), "{any:?} was expunged, and is there");
        }
        self.handles.clear();
        self.transient.clear();
        self.queried.clear();
        self.displaced.clear();
        self.now = self.flushed.clone();
        // Some of it is read again, with other handles.
        for at in 0..n[1] % 4 {
            self.query(session, [n[2].wrapping_add(at), 0, 0, 0], n[3].is_multiple_of(2)).await?;
        }
        Ok(true)
    }
}
