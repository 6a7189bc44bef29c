//! The conditions of a statement, as far as its words show them.

use std::collections::HashMap;

use limbeck::dialect::Dialect;
use limbeck::schema::{Metadata, Table, TableName};

use crate::token::{Kind, Token, code};

/// What a condition is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Filtered {
    /// A column.
    Column(String),
    /// A function of a column, as [`normal`] spells it.
    Expression(String),
}

impl Filtered {
    pub(super) fn text(&self) -> &str {
        match self {
            Filtered::Column(text) | Filtered::Expression(text) => text,
        }
    }
}

/// A condition that an index could serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) of: Filtered,
    /// Whether it is for one value, or a list of them, and not for a range.
    pub(super) equal: bool,
    /// The column that it is compared with, where that is one of another table.
    pub(super) joined: Option<(TableName, Filtered)>,
}

/// An expression without spaces and quotes, in lower case.
pub(super) fn normal(sql: &str) -> String {
    sql.chars().filter(|c| !c.is_whitespace() && *c != '"').flat_map(char::to_lowercase).collect()
}

/// The part of a statement that a word is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    /// Where tables are named.
    From,
    /// Conditions.
    Filter,
    Other,
}

const END_OF_FILTER: &[&str] = &[
    "select",
    "set",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "returning",
    "values",
    "union",
    "intersect",
    "except",
    "window",
    "fetch",
    "into",
    "using",
    "do",
];

/// What may stand behind a table's name and is no alias.
const NO_ALIAS: &[&str] = &[
    "where",
    "on",
    "join",
    "inner",
    "left",
    "right",
    "full",
    "cross",
    "natural",
    "set",
    "group",
    "order",
    "limit",
    "offset",
    "having",
    "union",
    "intersect",
    "except",
    "returning",
    "using",
    "for",
    "values",
    "window",
    "fetch",
    "as",
    "indexed",
    "not",
    "default",
    "select",
];

/// What a statement filters each table by. Nothing of a statement that cannot be read.
pub(super) fn filters<'m>(sql: &str, metadata: &'m Metadata) -> Vec<(&'m Table, Vec<Filter>)> {
    let Ok(tokens) = code(Dialect::Postgres, sql) else { return Vec::new() };
    let mut scan = Scan { tokens: &tokens, metadata, tables: HashMap::new(), filters: Vec::new() };
    scan.tables();
    scan.conditions();
    let mut out: Vec<(&Table, Vec<Filter>)> = Vec::new();
    for (table, filter) in scan.filters {
        match out.iter_mut().find(|(known, _)| std::ptr::eq(*known, table)) {
            Some((_, filters)) => filters.push(filter),
            None => out.push((table, vec![filter])),
        }
    }
    out
}

struct Scan<'t, 'm> {
    tokens: &'t [Token<'t>],
    metadata: &'m Metadata,
    /// By alias, and by name.
    tables: HashMap<String, &'m Table>,
    filters: Vec<(&'m Table, Filter)>,
}

impl<'m> Scan<'_, 'm> {
    /// Walks over the words with the part of the statement that each is in: brackets have one of their own.
    fn walk(&mut self, mut at: impl FnMut(&mut Self, usize, Clause)) {
        let mut clause = Clause::Other;
        let mut outer = Vec::new();
        for i in 0..self.tokens.len() {
            let token = &self.tokens[i];
            if token.is_symbol('(') {
                outer.push(clause);
                // A list in the brackets of FROM names no tables: only a SELECT in it does.
                if clause == Clause::From {
                    clause = Clause::Other;
                }
            } else if token.is_symbol(')') {
                clause = outer.pop().unwrap_or(Clause::Other);
            } else if token.kind == Kind::Word {
                clause = self.clause(i, clause);
            }
            at(self, i, clause);
        }
    }

    fn word(&self, i: usize) -> String {
        self.tokens.get(i).filter(|token| token.kind == Kind::Word).map_or_else(String::new, |t| t.text.to_lowercase())
    }

    fn clause(&self, i: usize, clause: Clause) -> Clause {
        let before = if i == 0 { String::new() } else { self.word(i - 1) };
        match self.word(i).as_str() {
            // `IS DISTINCT FROM`
            "from" if before == "distinct" => clause,
            "update" if before == "for" || before == "do" => Clause::Other,
            "from" | "join" | "update" => Clause::From,
            "on" if self.word(i + 1) == "conflict" => Clause::Other,
            "where" | "on" => Clause::Filter,
            word if END_OF_FILTER.contains(&word) => Clause::Other,
            _ => clause,
        }
    }

    fn tables(&mut self) {
        self.walk(|scan, i, clause| {
            let token = &scan.tokens[i];
            let names = token.is("from") || token.is("join") || token.is("update") || token.is_symbol(',');
            if clause == Clause::From && names {
                scan.table(i + 1);
            }
        });
    }

    /// Reads a table's name and alias.
    fn table(&mut self, mut i: usize) {
        while ["only", "lateral"].contains(&self.word(i).as_str()) {
            i += 1;
        }
        let Some(first) = self.identifier(i) else { return };
        let (name, mut next) = match self.dotted(i) {
            Some(second) => (TableName::new(Some(&first), &second), i + 3),
            None => (TableName::new(None, &first), i + 1),
        };
        // A table whose schema no model says is in the current one.
        let current = name.schema.as_deref().is_none_or(|schema| schema == "public");
        let found = self.metadata.tables.iter().find(|table| {
            table.name == name.name && (table.schema == name.schema || (current && table.schema.is_none()))
        });
        let Some(table) = found else { return };
        if self.word(next) == "as" {
            next += 1;
        }
        let alias = self.identifier(next).filter(|_| !NO_ALIAS.contains(&self.word(next).as_str()));
        self.tables.insert(alias.unwrap_or(name.name), table);
    }

    fn identifier(&self, i: usize) -> Option<String> {
        let token = self.tokens.get(i).filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))?;
        token.identifier()
    }

    /// The name behind the dot that follows.
    fn dotted(&self, i: usize) -> Option<String> {
        self.tokens.get(i + 1).filter(|token| token.is_symbol('.'))?;
        self.identifier(i + 2)
    }

    /// The column that begins at a token, and the position behind it.
    fn column(&self, i: usize) -> Option<(&'m Table, String, usize)> {
        let first = self.identifier(i)?;
        if let Some(name) = self.dotted(i) {
            // `schema.table.column` is of the table, too.
            if let Some(third) = self.dotted(i + 2) {
                let table = self.tables.get(&name)?;
                return table.column(&third).map(|_| (*table, third.clone(), i + 5));
            }
            let table = self.tables.get(&first)?;
            return table.column(&name).map(|_| (*table, name.clone(), i + 3));
        }
        let mut having = self.tables.values().filter(|table| table.column(&first).is_some());
        let table = having.next()?;
        having.all(|other| std::ptr::eq(*other, *table)).then_some((*table, first, i + 1))
    }

    fn conditions(&mut self) {
        let mut behind = 0;
        self.walk(|scan, i, clause| {
            if clause != Clause::Filter || i < behind {
                return;
            }
            let qualified = i > 0 && scan.tokens[i - 1].is_symbol('.');
            if qualified {
                return;
            }
            if let Some((table, name, next)) = scan.column(i) {
                behind = next;
                if let Some(equal) = scan.comparison(next) {
                    let joined = scan.other(next, table);
                    if let Some((other, column)) = &joined
                        && let Some(other) = scan.metadata.tables.iter().find(|table| table.full_name() == *other)
                    {
                        let back = Some((table.full_name(), Filtered::Column(name.clone())));
                        scan.filters.push((other, Filter { of: column.clone(), equal, joined: back }));
                    }
                    scan.filters.push((table, Filter { of: Filtered::Column(name), equal, joined }));
                }
            } else if let Some((table, text, next)) = scan.function(i) {
                behind = next;
                if let Some(equal) = scan.comparison(next) {
                    scan.filters.push((table, Filter { of: Filtered::Expression(text), equal, joined: None }));
                }
            }
        });
    }

    /// `lower(users.email)`: a function of a column.
    fn function(&self, i: usize) -> Option<(&'m Table, String, usize)> {
        let name = self.identifier(i)?;
        if ["and", "or", "not", "in", "any", "all", "exists", "where", "on", "when", "then", "else"]
            .contains(&name.as_str())
        {
            return None;
        }
        self.tokens.get(i + 1).filter(|token| token.is_symbol('('))?;
        let (table, column, next) = self.column(i + 2)?;
        self.tokens.get(next).filter(|token| token.is_symbol(')'))?;
        Some((table, normal(&format!("{name}({column})")), next + 1))
    }

    /// Whether what stands here compares with a value, a list or a range: true for the first two.
    fn comparison(&self, i: usize) -> Option<bool> {
        match self.word(i).as_str() {
            "in" => return Some(true),
            "between" => return Some(false),
            _ => {}
        }
        let symbol = |i: usize, symbol| self.tokens.get(i).is_some_and(|token| token.is_symbol(symbol));
        if symbol(i, '=') {
            return Some(true);
        }
        let range = (symbol(i, '<') && !symbol(i + 1, '>')) || symbol(i, '>');
        // Operators of PostgreSQL's own, such as `<@` and `>>`, are not for B-trees.
        let longer = ['@', '<', '>', '|', '#', '-'].iter().any(|&other| symbol(i + 1, other));
        (range && !longer).then_some(false)
    }

    /// The column of another table that a comparison is with.
    fn other(&self, i: usize, table: &Table) -> Option<(TableName, Filtered)> {
        self.tokens.get(i).filter(|token| token.is_symbol('='))?;
        let (other, name, _) = self.column(i + 1)?;
        (!std::ptr::eq(other, table)).then(|| (other.full_name(), Filtered::Column(name)))
    }
}

#[cfg(test)]
mod tests {
    use limbeck::schema::{Column, SqlType};

    use super::*;

    fn metadata() -> Metadata {
        let table = |name: &str, columns: &[&str]| Table {
            name: name.into(),
            columns: columns.iter().map(|name| Column::new(name, SqlType::Integer)).collect(),
            ..Table::default()
        };
        Metadata::new(vec![
            table("posts", &["id", "title", "author_id", "views", "order"]),
            table("users", &["id", "email", "age"]),
        ])
    }

    /// `posts.title, users.age <`
    fn found(sql: &str) -> String {
        let metadata = metadata();
        let mut out = Vec::new();
        for (table, filters) in filters(sql, &metadata) {
            for filter in filters {
                let joined = filter.joined.map(|(table, column)| format!("{table}.{}", column.text()));
                let range = if filter.equal { "" } else { " <" };
                let join = joined.map(|joined| format!(" with {joined}")).unwrap_or_default();
                out.push(format!("{}.{}{range}{join}", table.name, filter.of.text()));
            }
        }
        out.sort();
        out.join(", ")
    }

    #[test]
    fn conditions_are_found_with_their_tables() {
        for (sql, expected) in [
            ("SELECT id FROM posts WHERE posts.title = ? AND views > 3", "posts.title, posts.views <"),
            ("SELECT p.id FROM posts AS p WHERE p.title IN (?, ?) ORDER BY p.views", "posts.title"),
            ("SELECT p.id FROM posts p WHERE p.views BETWEEN 1 AND 2", "posts.views <"),
            ("SELECT id FROM posts WHERE posts.\"order\" = $1 LIMIT 5", "posts.order"),
            ("UPDATE posts SET title = $1, views = 2 WHERE author_id = $2 RETURNING id", "posts.author_id"),
            ("DELETE FROM posts WHERE (title = ? OR views <= ?)", "posts.title, posts.views <"),
            ("SELECT id FROM users WHERE lower(users.email) = $1", "users.lower(email)"),
            (
                "SELECT posts.id FROM posts JOIN users ON users.id = posts.author_id WHERE users.age < 5",
                "posts.author_id with users.id, users.age <, users.id with posts.author_id",
            ),
            (
                "SELECT id FROM posts WHERE author_id IN (SELECT id FROM users WHERE email = ?)",
                "posts.author_id, users.email",
            ),
            ("SELECT x FROM (SELECT title AS x FROM posts WHERE views = 1) AS d WHERE x = 2", "posts.views"),
            ("INSERT INTO posts (title) VALUES (?) ON CONFLICT (id) DO UPDATE SET title = ?", ""),
            ("SELECT id FROM posts WHERE title IS NULL OR title <> 'a' OR title LIKE 'b' OR NOT views", ""),
            ("SELECT id FROM posts WHERE title IS DISTINCT FROM $1", ""),
            ("SELECT id FROM nowhere WHERE title = 1", ""),
            ("SELECT id FROM posts WHERE 'title = 1' = $1", ""),
            ("SELECT 'unterminated FROM posts WHERE title = 1", ""),
            ("SELECT id FROM public.posts WHERE public.posts.title = $1", "posts.title"),
        ] {
            assert_eq!(found(sql), expected, "{sql}");
        }
    }
}
