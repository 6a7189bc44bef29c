//! Words of names, and whether they are in the plural.

use limbeck::schema::naming::{irregular_plurals, plural, snake_case};

/// Words that end like plurals and are none, beyond what ends tell.
const SINGULAR: &[&str] = &[
    "alias",
    "always",
    "atlas",
    "bias",
    "canvas",
    "chaos",
    "christmas",
    "cosmos",
    "gas",
    "has",
    "kubernetes",
    "lens",
    "pancreas",
    "pos",
    "redis",
    "sms",
    "was",
    "yes",
];

/// Plurals that end like singulars.
const PLURAL: &[&str] = &["menus", "gurus", "skis", "taxis", "emus", "thesauri"];

/// The words of a name: `BlogPost`, `blog_post` → `blog`, `post`.
pub(super) fn words(name: &str) -> Vec<String> {
    snake_case(name).split('_').filter(|word| !word.is_empty()).map(str::to_string).collect()
}

/// The last word of a name, without digits at its end: that is the one which has a plural.
pub(super) fn last_word(name: &str) -> String {
    let word = words(name).pop().unwrap_or_default();
    word.trim_end_matches(|c: char| c.is_ascii_digit()).to_string()
}

/// Whether a word in lower case is a plural and nothing else.
pub(super) fn is_plural(word: &str) -> bool {
    singular(word).is_some()
}

/// Whether a word is right for many: a plural, or one that is its own.
pub(super) fn is_for_many(word: &str) -> bool {
    is_plural(word) || plural(word) == word
}

/// The singular of a word that is a plural and nothing else.
pub(super) fn singular(word: &str) -> Option<String> {
    let irregular = irregular_plurals();
    if irregular.iter().any(|(singular, _)| *singular == word) || SINGULAR.contains(&word) {
        return None;
    }
    if let Some((singular, _)) = irregular.iter().find(|(_, plural)| *plural == word) {
        return Some((*singular).to_string());
    }
    let known = PLURAL.contains(&word);
    let vowel = word.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    if !known && (!vowel || ["ss", "us", "is"].iter().any(|end| word.ends_with(end))) {
        return None;
    }
    let candidates = [
        word.strip_suffix("ies").map(|stem| format!("{stem}y")),
        word.strip_suffix("es").map(str::to_string),
        word.strip_suffix('s').map(str::to_string),
    ];
    candidates.into_iter().flatten().find(|singular| singular.len() > 1 && plural(singular) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plural_is_told_from_a_word_that_ends_like_one() {
        for word in [
            "user", "status", "address", "news", "data", "series", "analysis", "bus", "person", "process", "access",
            "business", "class", "basis", "axis", "gas", "lens", "alias", "settings", "sms", "dns", "campus", "virus",
            "species", "metadata", "canvas", "index", "tax", "child", "box", "day",
        ] {
            assert!(!is_plural(word), "{word}");
        }
        for (word, one) in [
            ("users", "user"),
            ("statuses", "status"),
            ("addresses", "address"),
            ("analyses", "analysis"),
            ("buses", "bus"),
            ("people", "person"),
            ("children", "child"),
            ("categories", "category"),
            ("days", "day"),
            ("boxes", "box"),
            ("movies", "movy"),
            ("houses", "house"),
            ("caches", "cach"),
            ("menus", "menu"),
            ("indexes", "index"),
            ("taxes", "tax"),
            ("criteria", "criterion"),
            ("keys", "key"),
            ("types", "type"),
        ] {
            let found = singular(word);
            assert!(found.is_some(), "{word}");
            // Some words have two singulars by the rules of English; a plural is what matters.
            assert_eq!(plural(found.as_deref().unwrap()), word, "{one}");
        }
        for word in ["news", "series", "data", "users", "equipment", "statuses"] {
            assert!(is_for_many(word), "{word}");
        }
        for word in ["user", "status", "address", "history", "bus"] {
            assert!(!is_for_many(word), "{word}");
        }
    }

    #[test]
    fn the_last_word_counts() {
        assert_eq!(last_word("SalesPeople"), "people");
        assert_eq!(last_word("audit_log2"), "log");
        assert_eq!(words("HTTPServer"), ["http", "server"]);
    }
}
