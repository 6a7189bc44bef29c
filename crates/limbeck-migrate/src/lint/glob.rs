//! Patterns of paths: `*` and `?` within a name, `**` over any number of folders.

/// Whether a path, with `/` between its parts, is one that the pattern is for.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.trim_start_matches("./").split('/').collect();
    let path: Vec<&str> = path.trim_start_matches("./").split('/').collect();
    folders(&pattern, &path)
}

fn folders(pattern: &[&str], path: &[&str]) -> bool {
    match pattern {
        [] => path.is_empty(),
        // At the end it is for what is in the folder, not for the folder.
        ["**"] => !path.is_empty(),
        ["**", rest @ ..] => (0..=path.len()).any(|skipped| folders(rest, &path[skipped..])),
        [name, rest @ ..] => match path {
            [first, others @ ..] => part(name, first) && folders(rest, others),
            [] => false,
        },
    }
}

fn part(pattern: &str, name: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = letters.as_str();
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().any(|at| part(rest, &name[at..]))
        }
        Some(letter) => {
            let mut of_name = name.chars();
            of_name.next().is_some_and(|first| letter == '?' || letter == first)
                && part(letters.as_str(), of_name.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_is_for_the_paths_that_it_describes() {
        for (pattern, path, expected) in [
            ("**/models.rs", "models.rs", true),
            ("**/models.rs", "src/shop/models.rs", true),
            ("**/models.rs", "src/models/user.rs", false),
            ("**/models/*.rs", "src/models/user.rs", true),
            ("**/models/*.rs", "src/models/deep/user.rs", false),
            ("**/db/**", "src/db/user.rs", true),
            ("**/db/**", "src/db/deep/user.rs", true),
            ("**/db/**", "src/db", false),
            ("src/*_model.rs", "src/user_model.rs", true),
            ("src/v?.rs", "src/v1.rs", true),
            ("src/v?.rs", "src/v12.rs", false),
            ("**", "anything/at/all.rs", true),
            ("./src/lib.rs", "src/lib.rs", true),
            ("*", "src/lib.rs", false),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
