//! A field as it is said: `title:string(100)?:unique`.

use super::names;
use super::relation::{Kind, OnDelete};
use super::types::{self, Type};

/// A field, understood as far as its own words say.
#[derive(Debug)]
pub(super) struct Field {
    /// The whole of it, for messages.
    pub(super) said: String,
    pub(super) name: String,
    pub(super) of: Of,
    pub(super) nullable: bool,
    pub(super) unique: bool,
    pub(super) index: bool,
    pub(super) default: Option<String>,
    pub(super) server_default: Option<String>,
    pub(super) on_delete: Option<OnDelete>,
    pub(super) back_populates: Option<String>,
    pub(super) secondary: Option<String>,
}

/// What a field is.
#[derive(Debug)]
pub(super) enum Of {
    Column(Type),
    /// A relationship, and the model at its other end as it is said.
    Relation(Kind, String),
}

const OPTIONS: [&str; 7] = ["unique", "index", "default", "server_default", "on_delete", "back_populates", "secondary"];

impl Field {
    /// Reads a field. An error names it, and what was expected.
    pub(super) fn read(said: &str) -> Result<Field, String> {
        read(said).map_err(|message| format!("FIELD `{said}`: {message}"))
    }

    /// The error about it.
    pub(super) fn wrong(&self, message: impl std::fmt::Display) -> String {
        format!("FIELD `{}`: {message}", self.said)
    }
}

fn read(said: &str) -> Result<Field, String> {
    let parts = parts(said)?;
    let [name, of, options @ ..] = &parts[..] else {
        return Err("expected name:type, such as `title:string(100)`".into());
    };
    // `bio?:text` is as clear as `bio:text?`.
    let (name, mut nullable) = match name.strip_suffix('?') {
        Some(name) => (name, true),
        None => (name.as_str(), false),
    };
    let name = name.strip_prefix("r#").unwrap_or(name);
    names::field(name)?;
    let mut of = of.trim();
    if let Some(rest) = of.strip_suffix('?') {
        if nullable || rest.ends_with('?') {
            return Err("`?` is said twice".into());
        }
        (of, nullable) = (rest, true);
    }
    let mut field = Field {
        said: said.to_string(),
        name: name.to_string(),
        of: types::read(of)?,
        nullable,
        unique: false,
        index: false,
        default: None,
        server_default: None,
        on_delete: None,
        back_populates: None,
        secondary: None,
    };
    for option in options {
        field.option(option)?;
    }
    field.check()?;
    Ok(field)
}

/// What is between the colons that stand outside of brackets and quotes.
fn parts(said: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for c in said.chars() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ':' if !quoted && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth < 0 {
            return Err("a bracket is closed that was not opened".into());
        }
        escaped = c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    match (depth, quoted) {
        (0, false) => Ok(parts),
        (0, true) => Err("a quote is not closed".into()),
        _ => Err("a bracket is not closed".into()),
    }
}

impl Field {
    fn option(&mut self, option: &str) -> Result<(), String> {
        let (word, value) = match option.split_once('=') {
            Some((word, value)) => (word.trim(), Some(value.trim())),
            None => (option.trim(), None),
        };
        let word = word.replace('-', "_");
        let needed = || match value {
            Some(value) if !value.is_empty() => Ok(value.to_string()),
            _ => Err(format!("`{word}` needs a value: `{word}=…`")),
        };
        let twice = match word.as_str() {
            "unique" | "index" if value.is_some() => return Err(format!("`{word}` has no value")),
            "unique" => std::mem::replace(&mut self.unique, true),
            "index" => std::mem::replace(&mut self.index, true),
            // An empty text is a default, too.
            "default" => {
                self.default.replace(value.ok_or("`default` needs a value: `default=…`")?.to_string()).is_some()
            }
            "server_default" => self.server_default.replace(types::unquoted(&needed()?)).is_some(),
            "on_delete" => self.on_delete.replace(OnDelete::read(&needed()?)?).is_some(),
            "back_populates" => self.back_populates.replace(needed()?).is_some(),
            "secondary" => self.secondary.replace(needed()?).is_some(),
            "?" | "null" | "nullable" => return Err("what may be NULL has a `?` behind its type: `bio:text?`".into()),
            _ => {
                let known = OPTIONS.map(|known| format!("`{known}`")).join(", ");
                return Err(match names::nearest(&word, &OPTIONS) {
                    Some(near) => format!("there is no option `{word}`: did you mean `{near}`?"),
                    None => format!("there is no option `{word}`: {known}"),
                });
            }
        };
        if twice { Err(format!("`{word}` is said twice")) } else { Ok(()) }
    }

    /// What does not go together.
    fn check(&self) -> Result<(), String> {
        let relation = match &self.of {
            Of::Column(_) => None,
            Of::Relation(kind, _) => Some(*kind),
        };
        let refuse = |said: bool, message: &str| if said { Err(message.to_string()) } else { Ok(()) };
        let belongs_to = relation == Some(Kind::BelongsTo);
        let key_there = matches!(relation, Some(Kind::HasMany | Kind::HasOne));
        refuse(self.default.is_some() && self.server_default.is_some(), "say `default` or `server_default`, not both")?;
        refuse(self.index && self.unique, "what is unique has an index by that: leave `index` out")?;
        refuse(
            relation.is_some() && (self.default.is_some() || self.server_default.is_some()),
            "a relationship has no default",
        )?;
        refuse(belongs_to && self.index, "the key of a belongs_to has an index by itself: leave `index` out")?;
        refuse(
            relation.is_some() && !belongs_to && (self.unique || self.index),
            "`unique` and `index` are for columns, and `unique` for a belongs_to that is one-to-one",
        )?;
        refuse(
            relation.is_some() && !belongs_to && self.nullable,
            "there is no key here that may be NULL: leave the `?` out",
        )?;
        refuse(
            self.on_delete.is_some() && !belongs_to && !key_there,
            "`on_delete` is for a relationship over a foreign key: belongs_to, has_many, has_one",
        )?;
        refuse(
            self.on_delete == Some(OnDelete::SetNull) && belongs_to && !self.nullable,
            "`on_delete=set_null` needs a key that may be NULL: put a `?` behind the type",
        )?;
        refuse(self.secondary.is_some() && relation != Some(Kind::ManyToMany), "`secondary` is for a many_to_many")?;
        refuse(self.back_populates.is_some() && relation.is_none(), "`back_populates` is for a relationship")?;
        if let Some(name) = self.back_populates.as_deref().filter(|name| *name != "none") {
            names::field(name).map_err(|message| format!("`back_populates={name}`: {message}"))?;
        } else if self.back_populates.is_some() && key_there {
            return Err("the key is at the other side, which cannot be left out".into());
        }
        if let Some(name) = &self.secondary {
            names::table(name)?;
        }
        Ok(())
    }

    /// Whether the other side is left out.
    pub(super) fn is_one_sided(&self) -> bool {
        self.back_populates.as_deref() == Some("none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_has_a_name_a_type_and_options() {
        let field = Field::read("title:string(100)?:unique:default=\"a:b\"").unwrap();
        assert_eq!((field.name.as_str(), field.nullable, field.unique), ("title", true, true));
        assert_eq!(field.default.as_deref(), Some("\"a:b\""));
        let field = Field::read("author:belongs_to(crate::users::User)?:on-delete=cascade").unwrap();
        assert!(matches!(&field.of, Of::Relation(Kind::BelongsTo, target) if target == "crate::users::User"));
        assert_eq!(field.on_delete, Some(OnDelete::Cascade));
        assert!(Field::read("bio?:text").unwrap().nullable);
        assert_eq!(Field::read("note:string:default=").unwrap().default.as_deref(), Some(""));
    }

    #[test]
    fn a_mistake_names_the_field_and_what_was_expected() {
        for (said, expected) in [
            ("title", "expected name:type"),
            (":string", "a name is missing"),
            ("title:string??", "`?` is said twice"),
            ("title?:string?", "`?` is said twice"),
            ("Title:string", "`title`"),
            ("title:strng", "did you mean `string`?"),
            ("title:string(100", "a bracket is not closed"),
            ("title:string)", "a bracket is closed"),
            ("title:string:uniqe", "did you mean `unique`?"),
            ("title:string:colour", "there is no option `colour`: `unique`, `index`"),
            ("title:string:unique:unique", "said twice"),
            ("title:string:unique:index", "leave `index` out"),
            ("title:string:unique=yes", "has no value"),
            ("title:string:nullable", "`?` behind its type"),
            ("title:string:default", "needs a value"),
            ("title:string:on_delete=cascade", "belongs_to, has_many"),
            ("title:string:secondary=x", "for a many_to_many"),
            ("title:string:back_populates=x", "for a relationship"),
            ("title:string:default=a:server_default=b", "not both"),
            ("author:belongs_to(User):on_delete=set_null", "put a `?`"),
            ("author:belongs_to(User):on_delete=casade", "did you mean `cascade`?"),
            ("author:belongs_to(User):index", "by itself"),
            ("author:belongs_to(User):default=1", "no default"),
            ("author:belongs_to", "belongs_to(User)"),
            ("posts:has_many(Post)?", "leave the `?` out"),
            ("posts:has_many(Post):back_populates=none", "cannot be left out"),
            ("posts:has_many(Post):unique", "one-to-one"),
            ("posts:many_to_many(Post):back_populates=Tags", "`tags`"),
        ] {
            let error = Field::read(said).unwrap_err();
            assert!(error.starts_with(&format!("FIELD `{said}`: ")) && error.contains(expected), "{error}");
        }
    }
}
