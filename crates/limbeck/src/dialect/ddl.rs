//! `CREATE TABLE` and its relatives.
