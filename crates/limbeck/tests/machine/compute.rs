//! Columns that are set to SQL expressions.

use limbeck::session::Session;

use crate::machine::{Machine, Outcome, said};
use crate::reference::{Col, Computed, Id, Kind};

impl Machine {
    /// The next flush has the database compute a column.
    pub fn compute(&mut self, session: &mut Session, n: [u16; 4]) -> Outcome<bool> {
        let columns =
            [(Kind::Doc, Col::Hits), (Kind::Person, Col::Points), (Kind::Task, Col::Title), (Kind::Badge, Col::Note)];
        let (kind, col) = columns[usize::from(n[0]) % columns.len()];
        let has_row = |id: Id| self.has_row(id);
        let Some((id, any)) = self.pick_where(kind, n[1], has_row) else { return Ok(false) };
        let by = (1 + n[2] % 9).to_string();
        if self.is_expired(session, any)? {
            self.uncertain.insert(id);
        }
        self.say(format!("session.set({}, {}, {} and {by})?;", self.name(id), col.name(), col.name()));
        any.compute(session, col, &by).map_err(said)?;
        let from = self.flushed.rows[&id].cols[&col].clone();
        let row = self.now.rows.get_mut(&id).ok_or("no such row")?;
        row.computed.insert(col, Computed { held: row.cols[&col].clone(), from, by });
        Ok(true)
    }
}
