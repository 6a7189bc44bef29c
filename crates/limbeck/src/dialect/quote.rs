//! Which identifiers need quotes.

/// Words that PostgreSQL or SQLite reserve, sorted. One list for all databases: a quoted name that did not
/// need it does no harm, and the same schema reads alike everywhere.
const RESERVED: &[&str] = &[
    "abort", "add", "all", "alter", "always", "analyse", "analyze", "and", "any", "array", "as", "asc",
    "asymmetric", "attach", "authorization", "autoincrement", "begin", "between", "binary", "both", "by",
    "cascade", "case", "cast", "check", "collate", "collation", "column", "commit", "concurrently",
    "conflict", "constraint", "create", "cross", "current_catalog", "current_date", "current_role",
    "current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable",
    "deferred", "delete", "desc", "detach", "distinct", "do", "drop", "each", "else", "end", "escape",
    "except", "exists", "explain", "false", "fetch", "for", "foreign", "freeze", "from", "full", "glob",
    "grant", "group", "having", "if", "ilike", "immediate", "in", "index", "indexed", "initially", "inner",
    "insert", "instead", "intersect", "into", "is", "isnull", "join", "key", "lateral", "leading", "left",
    "like", "limit", "localtime", "localtimestamp", "match", "natural", "no", "not", "nothing", "notnull",
    "null", "of", "offset", "on", "only", "or", "order", "outer", "over", "overlaps", "placing", "plan",
    "pragma", "primary", "query", "raise", "recursive", "references", "regexp", "reindex", "release",
    "rename", "replace", "restrict", "returning", "right", "rollback", "row", "rows", "savepoint", "select",
    "session_user", "set", "similar", "some", "symmetric", "system_user", "table", "tablesample", "temp",
    "temporary", "then", "to", "trailing", "transaction", "trigger", "true", "union", "unique", "update",
    "user", "using", "vacuum", "values", "variadic", "verbose", "view", "virtual", "when", "where", "window",
    "with", "without",
];

/// Whether the identifier has to be quoted to mean itself.
pub(super) fn needs_quotes(ident: &str) -> bool {
    let mut bytes = ident.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    !plain || RESERVED.binary_search(&ident).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_for_the_search() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn quotes_where_needed() {
        for plain in ["users", "author_id", "_x", "a1", "metadata", "name"] {
            assert!(!needs_quotes(plain), "{plain}");
        }
        for odd in ["order", "user", "Users", "a b", "1a", "", "naïve", "a\"b"] {
            assert!(needs_quotes(odd), "{odd}");
        }
    }
}
