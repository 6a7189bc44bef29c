//! Names that were said: whether they are what Rust, the database and the reader expect.

use limbeck::schema::naming;
use syn::ext::IdentExt;

/// Words that are no names even with `r#`.
const NEVER: [&str; 4] = ["crate", "self", "super", "Self"];

/// Folders and files in `src` that Cargo or Rust take for something else.
const TAKEN_BY_CARGO: [&str; 4] = ["bin", "lib", "main", "mod"];

/// Crates whose names a module at the top would hide.
const CRATES: [&str; 4] = ["alloc", "core", "limbeck", "std"];

/// What a file with models uses by these names.
const USED: [&str; 22] = [
    "BelongsTo",
    "DateTime",
    "DbEnum",
    "Decimal",
    "Deferred",
    "Err",
    "HasMany",
    "HasOne",
    "Json",
    "ManyToMany",
    "Model",
    "NaiveDate",
    "NaiveDateTime",
    "NaiveTime",
    "None",
    "Ok",
    "Option",
    "Some",
    "String",
    "TimeDelta",
    "Utc",
    "Uuid",
];

/// A name as Rust writes it: `r#type` for `type`.
pub(super) fn rust(name: &str) -> String {
    // syn does not know `gen`, a keyword since edition 2024; `r#gen` means the same in all of them.
    match syn::parse_str::<syn::Ident>(name) {
        Ok(_) if name != "gen" => name.to_string(),
        _ => format!("r#{name}"),
    }
}

fn is_identifier(name: &str) -> bool {
    syn::parse_str::<syn::Ident>(&format!("r#{name}")).is_ok_and(|ident| ident.unraw() == name)
}

/// Whether a struct or a variant can be called so.
pub(super) fn is_type(name: &str) -> bool {
    is_identifier(name) && !NEVER.contains(&name) && name.starts_with(char::is_uppercase)
}

/// Why a name is not one of a field, a module or a column; `None` where it is.
fn not_snake_case(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("a name is missing".into());
    }
    if NEVER.contains(&name) || name.chars().all(|c| c == '_') {
        return Some(format!("`{name}` means something else in Rust and cannot be a name"));
    }
    let snake = as_snake_case(name);
    if is_identifier(name) && snake == name {
        return None;
    }
    Some(match is_identifier(&snake) && snake.chars().any(char::is_alphabetic) {
        true => format!("names are written in snake case: `{snake}`"),
        false => "a name is made of letters, digits and `_`, and begins with a letter".to_string(),
    })
}

fn as_snake_case(name: &str) -> String {
    naming::snake_case(&name.trim().replace(['-', ' ', '.'], "_"))
}

/// The modules that FEATURE names.
pub(super) fn feature(said: &str) -> Result<Vec<String>, String> {
    let error = |message: String| Err(format!("FEATURE `{said}`: {message}"));
    let said_path = said.strip_prefix("src/").unwrap_or(said).trim_end_matches('/');
    let segments: Vec<String> = said_path.replace("::", "/").split('/').map(str::to_string).collect();
    for (depth, segment) in segments.iter().enumerate() {
        if segment.is_empty() {
            return error("expected the name of a module, such as `blog` or `shop/orders`".into());
        }
        if let Some(why) = not_snake_case(segment) {
            return error(why);
        }
        if segment == "models" {
            return error("the module gets a models.rs: name it after what the model is about, such as `blog`".into());
        }
        if depth == 0 && TAKEN_BY_CARGO.contains(&segment.as_str()) {
            return error(format!("src/{segment} has a meaning of its own for Cargo: choose another name"));
        }
        if depth == 0 && CRATES.contains(&segment.as_str()) {
            return error(format!("the module would hide the crate `{segment}`: choose another name"));
        }
    }
    Ok(segments)
}

/// Whether ENTITY is the name of a model; where `table` is said, a plural is taken as meant.
pub(super) fn entity(said: &str, table: Option<&str>) -> Result<(), String> {
    let error = |message: String| Err(format!("ENTITY `{said}`: {message}"));
    let camel = as_camel_case(said);
    if !is_type(&camel) {
        return error("expected the name of a struct, such as `BlogPost`".into());
    }
    let wanted = match (table, singular(&camel)) {
        (None, Some(one)) => one,
        _ => camel,
    };
    if wanted != said {
        let plural = match table.is_none() && singular(said).is_some() {
            true => format!(
                " (a model is named after one row; if that is right, say its table: --table {})",
                as_snake_case(said)
            ),
            false => String::new(),
        };
        return error(format!("the struct should be called `{wanted}`{plural}"));
    }
    if USED.contains(&said) {
        return error("files with models use that name for something else: choose another".into());
    }
    Ok(())
}

/// `blog_post` → `BlogPost`; what has capitals already keeps them.
pub(super) fn as_camel_case(name: &str) -> String {
    let words = name.split(['_', '-', ' ', '.']).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
            first + letters.as_str()
        })
        .collect()
}

/// What a name in the plural is one of; `None` where it is none, as far as can be told from a word.
fn singular(name: &str) -> Option<String> {
    let start = name.rfind(char::is_uppercase)?;
    let (before, word) = name.split_at(start);
    let word = word.to_lowercase();
    let by_heart = naming::irregular_plurals().iter().filter(|(_, plural)| *plural == word);
    let mut candidates: Vec<String> = by_heart.map(|(one, _)| one.to_string()).collect();
    if let Some(stem) = word.strip_suffix("ies") {
        candidates.push(format!("{stem}y"));
    }
    if let Some(stem) = word.strip_suffix("es") {
        candidates.push(stem.to_string());
    }
    // Bus, Status, Address, Analysis, Alias, Canvas and Lens are one each.
    let one = ["ss", "us", "is", "as", "ens"].iter().any(|end| word.ends_with(end));
    if let Some(stem) = word.strip_suffix('s').filter(|_| !one) {
        candidates.push(stem.to_string());
    }
    let found = candidates.into_iter().find(|one| one.len() > 1 && *one != word && naming::plural(one) == word)?;
    (naming::plural(&word) != word).then(|| format!("{before}{}", as_camel_case(&found)))
}

/// The one of `known` that was probably meant.
pub(super) fn nearest<'k>(said: &str, known: &[&'k str]) -> Option<&'k str> {
    let distances = known.iter().map(|known| (strsim::damerau_levenshtein(known, said), *known));
    let (distance, nearest) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= (nearest.len().max(said.len()) / 3).max(1)).then_some(nearest)
}

/// Whether a type can be imported by that name into a file with models.
pub(super) fn is_free_in_models(name: &str) -> bool {
    !USED.contains(&name)
}

/// Whether a field can be called so.
pub(super) fn field(name: &str) -> Result<(), String> {
    if name.starts_with("__") {
        return Err("names that begin with `__` are kept for the code that derive(Model) makes".into());
    }
    not_snake_case(name).map_or(Ok(()), Err)
}

/// Whether a table can be called so without being quoted everywhere.
pub(super) fn table(name: &str) -> Result<(), String> {
    match not_snake_case(name) {
        None if name.len() <= 63 => Ok(()),
        None => Err(format!("the table `{name}`: a name has at most 63 characters on PostgreSQL")),
        Some(why) => Err(format!("the table `{name}`: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_modules() {
        assert_eq!(feature("blog").unwrap(), ["blog"]);
        assert_eq!(feature("shop/orders").unwrap(), ["shop", "orders"]);
        assert_eq!(feature("src/shop/").unwrap(), ["shop"]);
        assert_eq!(feature("type").unwrap(), ["type"]);
        for (said, expected) in [
            ("Blog", "`blog`"),
            ("blog-posts", "`blog_posts`"),
            ("shop//orders", "such as `blog`"),
            ("", "such as `blog`"),
            ("2nd", "begins with a letter"),
            ("../blog", "begins with a letter"),
            ("bin", "Cargo"),
            ("core", "crate `core`"),
            ("models", "models.rs"),
            ("self", "means something else"),
        ] {
            let error = feature(said).unwrap_err();
            assert!(error.starts_with("FEATURE `") && error.contains(expected), "{said}: {error}");
        }
    }

    #[test]
    fn entities_are_singular_structs() {
        for said in [
            "Post",
            "BlogPost",
            "Status",
            "Address",
            "News",
            "Analysis",
            "Person",
            "HTTPServer",
            "Lens",
            "Alias",
            "Bus",
        ] {
            entity(said, None).unwrap();
        }
        for (said, expected) in [
            ("post", "`Post`"),
            ("blog_post", "`BlogPost`"),
            ("Posts", "`Post` (a model is named after one row"),
            ("blog_posts", "`BlogPost`"),
            ("Categories", "`Category`"),
            ("SalesPeople", "`SalesPerson`"),
            ("Boxes", "`Box`"),
            ("Addresses", "`Address`"),
            ("String", "choose another"),
            ("Self", "such as `BlogPost`"),
            ("1st", "such as `BlogPost`"),
        ] {
            let error = entity(said, None).unwrap_err();
            assert!(error.starts_with("ENTITY `") && error.contains(expected), "{said}: {error}");
        }
        entity("Posts", Some("posts")).unwrap();
    }

    #[test]
    fn keywords_are_written_raw() {
        assert_eq!(["type", "title", "match", "gen"].map(rust), ["r#type", "title", "r#match", "r#gen"]);
        field("type").unwrap();
        assert!(field("self").is_err() && field("createdAt").unwrap_err().contains("`created_at`"));
        assert!(field("__x").is_err() && field("a-b").unwrap_err().contains("`a_b`"));
    }
}
