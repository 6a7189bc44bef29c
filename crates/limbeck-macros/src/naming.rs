//! Names: the table of a struct, and the known name that an unknown one was meant to be.

use crate::plural::plural;

/// The default table of a struct: `BlogPost` → `blog_posts`.
pub(crate) fn table(model: &str) -> String {
    let snake = snake_case(model);
    match snake.rfind('_') {
        Some(at) => format!("{}{}", &snake[..=at], plural(&snake[at + 1..])),
        None => plural(&snake),
    }
}

/// `HTTPServer` → `http_server`, `OAuth2Token` → `o_auth2_token`.
pub(crate) fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if c.is_uppercase() && i > 0 {
            let after_word = !chars[i - 1].is_uppercase() && chars[i - 1] != '_';
            let before_word = chars[i - 1] != '_' && chars.get(i + 1).is_some_and(|next| next.is_lowercase());
            if after_word || before_word {
                out.push('_');
            }
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The one of `known` that `name` was most likely meant to be, if any is near.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_snake_case_plurals() {
        for (model, expected) in [
            ("User", "users"),
            ("BlogPost", "blog_posts"),
            ("Category", "categories"),
            ("Day", "days"),
            ("Box", "boxes"),
            ("Branch", "branches"),
            ("Address", "addresses"),
            ("Person", "people"),
            ("SalesPerson", "sales_people"),
            ("HTTPServer", "http_servers"),
            ("News", "news"),
            ("Status", "statuses"),
            ("Bus", "buses"),
            ("Analysis", "analyses"),
            ("Data", "data"),
            ("Series", "series"),
            ("UserSettings", "user_settings"),
            ("Staff", "staff"),
            ("Matrix", "matrices"),
            ("User_Role", "user_roles"),
        ] {
            assert_eq!(table(model), expected);
        }
    }

    #[test]
    fn the_nearest_known_name_is_found_and_a_far_one_is_not() {
        let known = ["unique", "index", "name", "default", "on_update"];
        assert_eq!(nearest("uniqe", &known), Some("unique"));
        assert_eq!(nearest("idnex", &known), Some("index"));
        assert_eq!(nearest("defualt", &known), Some("default"));
        assert_eq!(nearest("serialize", &known), None);
    }
}
