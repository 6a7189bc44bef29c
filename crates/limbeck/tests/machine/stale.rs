//! Rows that others change or delete behind the session's back.

use limbeck::Error;
use limbeck::session::Session;
use limbeck::sql::trusted;

use crate::database;
use crate::ensure;
use crate::machine::{Machine, Outcome, Trigger, said};
use crate::objects::Any;
use crate::reference::{Col, Id, Kind};

impl Machine {
    /// Ends the transaction, so that others can write: not where savepoints are open.
    async fn let_others(&mut self, session: &mut Session) -> Outcome<bool> {
        if !self.savepoints.is_empty() {
            return Ok(false);
        }
        self.settle(session, Trigger::Commit).await?;
        self.say("session.commit().await?;");
        session.commit().await.map_err(said)?;
        self.was_committed(session).await?;
        Ok(true)
    }

    async fn elsewhere(&mut self, statement: String) -> Outcome {
        self.say(format!("// elsewhere: {statement}"));
        self.connection.execute_sql(trusted(statement)).await.map_err(said)?;
        Ok(())
    }

    /// A document gets another version elsewhere; who has not seen that cannot write it.
    pub async fn stale(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let has_row = |id: Id| self.has_row(id);
        if self.pick_where(Kind::Doc, n[0], has_row).is_none() || !self.let_others(session).await? {
            return Ok(false);
        }
        let Some((id, any)) = self.pick(Kind::Doc, n[0]) else { return Ok(true) };
        let title = self.fresh_value();
        self.elsewhere(format!("UPDATE docs SET title = '{title}', version = version + 1 WHERE label = {id}")).await?;
        let expired = self.is_expired(session, any)?;
        if expired {
            self.came_from_elsewhere(id, title).await?;
            let note = self.fresh_value();
            // Nobody has seen the version that it had.
            self.write(session, id, any, Col::Note, Some(note), false)?;
            self.flush(session).await?;
            return Ok(true);
        }
        if n[1].is_multiple_of(3) {
            self.say(format!("session.delete({})?; // fails at the flush", self.name(id)));
            any.delete(session).map_err(said)?;
        } else {
            let value = Some(self.fresh_value());
            self.say(format!("session.set({}, note, {value:?})?; // fails at the flush", self.name(id)));
            any.set(session, Col::Note, value, n[1].is_multiple_of(2)).map_err(said)?;
        }
        match session.flush().await {
            Err(Error::StaleRow(stale)) => {
                ensure!(stale.object == Some(any.raw()), "another object is said to be stale: {stale:?}");
                let next = stale.expected.map(|version| version + 1);
                ensure!(!stale.is_gone && stale.found == next, "the versions of {stale:?} are not those");
            }
            other => return Err(format!("an older version of {} was flushed: {other:?}", self.name(id))),
        }
        if n[1].is_multiple_of(3) {
            any.add(session);
        }
        self.say(format!("session.refresh({}).await?;", self.name(id)));
        any.refresh(session).await.map_err(said)?;
        self.came_from_elsewhere(id, title).await?;
        Ok(true)
    }

    async fn came_from_elsewhere(&mut self, id: Id, title: String) -> Outcome {
        for world in [&mut self.now, &mut self.flushed, &mut self.committed] {
            if let Some(row) = world.rows.get_mut(&id) {
                row.cols.insert(Col::Title, Some(title.clone()));
            }
        }
        self.views = database::committed(&mut self.connection).await.map_err(said)?.views;
        Ok(())
    }

    /// A row is deleted elsewhere; whoever changes its object hears of it.
    pub async fn row_gone(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let kinds = [(Kind::Pin, "pins"), (Kind::Mark, "marks"), (Kind::Profile, "profiles")];
        let (kind, table) = kinds[usize::from(n[0]) % kinds.len()];
        let has_row = |id: Id| self.has_row(id);
        if self.pick_where(kind, n[1], has_row).is_none() || !self.let_others(session).await? {
            return Ok(false);
        }
        let Some((id, any)) = self.pick(kind, n[1]) else { return Ok(true) };
        self.elsewhere(format!("DELETE FROM {table} WHERE label = {id}")).await?;
        let value = Some(self.fresh_value());
        let in_place = n[2].is_multiple_of(2) && !self.is_expired(session, any)?;
        self.say(format!("session.set({}, note, {value:?})?; // fails at the flush", self.name(id)));
        any.set(session, Col::Note, value, in_place).map_err(said)?;
        match session.flush().await {
            Err(Error::StaleRow(stale)) => {
                let found = stale.is_gone && stale.object == Some(any.raw());
                ensure!(found, "{} is gone, and {stale:?} says something else", self.name(id));
            }
            other => return Err(format!("{} is gone, and was flushed: {other:?}", self.name(id))),
        }
        self.say(format!("session.expunge({})?;", self.name(id)));
        self.expunge_gone(session, any, id)?;
        for world in [&mut self.now, &mut self.flushed, &mut self.committed] {
            world.rows.remove(&id);
        }
        Ok(true)
    }

    fn expunge_gone(&mut self, session: &mut Session, any: Any, id: Id) -> Outcome {
        any.expunge(session).map_err(said)?;
        self.forget(id);
        Ok(())
    }
}
