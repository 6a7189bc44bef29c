//! Names of constraints and indexes: the same every time, so that a migration can always drop what an
//! earlier one made.

/// The longest name that is used: PostgreSQL keeps 63 bytes, MySQL 64 characters.
pub const MAX_LENGTH: usize = 63;

/// The plural of a word in lower case, by which `derive(Model)` names tables: `category` → `categories`.
pub fn plural(word: &str) -> String {
    super::plural::plural(word)
}

/// The table that `derive(Model)` gives a struct which names none: `BlogPost` → `blog_posts`.
pub fn table(model: &str) -> String {
    let snake = snake_case(model);
    match snake.rfind('_') {
        Some(at) => format!("{}{}", &snake[..=at], plural(&snake[at + 1..])),
        None => plural(&snake),
    }
}

/// Words that [`plural`] knows by heart, each with its plural, which may be the word itself.
pub fn irregular_plurals() -> &'static [(&'static str, &'static str)] {
    super::plural::IRREGULAR
}

/// `pk_users`
pub fn primary_key(table: &str) -> String {
    shortened(format!("pk_{table}"))
}

/// `uq_users_email`
pub fn unique<S: AsRef<str>>(table: &str, columns: &[S]) -> String {
    shortened(format!("uq_{table}_{}", joined(columns)))
}

/// `ix_posts_author_id`
pub fn index<S: AsRef<str>>(table: &str, columns: &[S]) -> String {
    shortened(format!("ix_{table}_{}", joined(columns)))
}

/// `fk_posts_author_id_users`
pub fn foreign_key<S: AsRef<str>>(table: &str, columns: &[S], target: &str) -> String {
    shortened(format!("fk_{table}_{}_{target}", joined(columns)))
}

/// `ck_products_price`; where the check is one of the table, with the words of its condition:
/// `ck_bookings_ends_at_starts_at`
pub fn check(table: &str, about: &str) -> String {
    shortened(format!("ck_{table}_{}", words(about)))
}

/// The words of an expression: `lower(title)` → `lower_title`.
pub fn words(expression: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let words = expression.split(|c| !word(c)).filter(|part| !part.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// `BlogPost` → `blog_post`, `HTTPServer` → `http_server`.
pub fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &letter) in letters.iter().enumerate() {
        if letter.is_uppercase() {
            let after_lower = i > 0 && letters[i - 1] != '_' && !letters[i - 1].is_uppercase();
            let ends_capitals =
                i > 0 && letters[i - 1].is_uppercase() && letters.get(i + 1).is_some_and(|next| next.is_lowercase());
            if after_lower || ends_capitals {
                out.push('_');
            }
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn joined<S: AsRef<str>>(columns: &[S]) -> String {
    columns.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("_")
}

/// A name that the database would cut is cut here, with a hash of the whole, so that two long names
/// that begin alike stay different.
fn shortened(name: String) -> String {
    if name.len() <= MAX_LENGTH {
        return name;
    }
    // FNV-1a: stable across versions and machines, which std's hasher does not promise.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut end = MAX_LENGTH - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:08x}", &name[..end], hash as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_predictable() {
        assert_eq!(primary_key("users"), "pk_users");
        assert_eq!(unique("users", &["email"]), "uq_users_email");
        assert_eq!(index("posts", &["author_id", "title"]), "ix_posts_author_id_title");
        assert_eq!(check("products", "price"), "ck_products_price");
        assert_eq!(check("bookings", "ends_at > starts_at + '1 h'"), "ck_bookings_ends_at_starts_at_1_h");
        assert_eq!(foreign_key("posts", &["author_id"], "users"), "fk_posts_author_id_users");
    }

    #[test]
    fn snake_case_splits_words_and_keeps_abbreviations() {
        for (name, snake) in [
            ("User", "user"),
            ("BlogPost", "blog_post"),
            ("HTTPServer", "http_server"),
            ("V2Key", "v2_key"),
            ("A_B", "a_b"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    /// The derive has a copy of the file, which has to be one.
    #[test]
    fn the_derive_knows_the_same_plurals() {
        let own = include_str!("plural.rs");
        assert_eq!(own, include_str!("../../../limbeck-macros/src/plural.rs"));
        for (model, expected) in
            [("BlogPost", "blog_posts"), ("Status", "statuses"), ("Bus", "buses"), ("SalesPerson", "sales_people")]
        {
            assert_eq!(table(model), expected);
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let long = "a_table_with_a_name_that_goes_on_and_on_and_on_for_ever";
        let one = index(long, &["first_column"]);
        let two = index(long, &["first_columns"]);
        assert_eq!(one.len(), MAX_LENGTH);
        assert_ne!(one, two);
        assert_eq!(one, index(long, &["first_column"]));
    }
}
