//! The types that can be said, and the columns that they make.

use super::field::Of;
use super::names;
use super::relation::Kind;
use limbeck::schema::naming;

/// A column's type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Type {
    pub(super) of: Scalar,
    /// Whether there may be any number of them in a row.
    pub(super) array: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    SmallInt,
    Int,
    BigInt,
    Float,
    Real,
    Bool,
    String(Option<u32>),
    Text,
    /// Digits, and how many of them are after the point.
    Numeric(Option<(u32, u32)>),
    DateTime,
    NaiveDateTime,
    Date,
    Time,
    Interval,
    Json,
    Uuid,
    Bytes,
    Enum(Vec<Value>),
}

/// A value of an enum: its variant, and what the database keeps.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) variant: String,
    pub(super) value: String,
}

/// The words, each with the one that it is another for: names of Rust, SQL and SQLAlchemy are understood.
const WORDS: &[(&str, &str)] = &[
    ("string", "string"),
    ("str", "string"),
    ("varchar", "string"),
    ("text", "text"),
    ("int", "int"),
    ("integer", "int"),
    ("i32", "int"),
    ("bigint", "bigint"),
    ("biginteger", "bigint"),
    ("i64", "bigint"),
    ("smallint", "smallint"),
    ("smallinteger", "smallint"),
    ("i16", "smallint"),
    ("float", "float"),
    ("double", "float"),
    ("f64", "float"),
    ("real", "real"),
    ("f32", "real"),
    ("numeric", "numeric"),
    ("decimal", "numeric"),
    ("bool", "bool"),
    ("boolean", "bool"),
    ("datetime", "datetime"),
    ("timestamptz", "datetime"),
    ("naive_datetime", "naive_datetime"),
    ("naivedatetime", "naive_datetime"),
    ("date", "date"),
    ("naivedate", "date"),
    ("time", "time"),
    ("naivetime", "time"),
    ("interval", "interval"),
    ("timedelta", "interval"),
    ("json", "json"),
    ("jsonb", "json"),
    ("uuid", "uuid"),
    ("bytes", "bytes"),
    ("binary", "bytes"),
    ("largebinary", "bytes"),
    ("bytea", "bytes"),
    ("blob", "bytes"),
    ("enum", "enum"),
    ("belongs_to", "belongs_to"),
    ("belongsto", "belongs_to"),
    ("has_many", "has_many"),
    ("hasmany", "has_many"),
    ("has_one", "has_one"),
    ("hasone", "has_one"),
    ("many_to_many", "many_to_many"),
    ("manytomany", "many_to_many"),
];

/// Reads a type, without the `?` behind it.
pub(super) fn read(said: &str) -> Result<Of, String> {
    let (element, array) = match said.strip_suffix("[]") {
        Some(element) => (element.trim(), true),
        None => (said, false),
    };
    if element.ends_with('?') {
        return Err("the `?` belongs to the array, behind its brackets: `string[]?`".into());
    }
    if element.ends_with("[]") {
        return Err("there are no arrays of arrays: `json` holds them".into());
    }
    let (word, arguments) = match element.split_once('(') {
        Some((word, rest)) => match rest.strip_suffix(')') {
            Some(arguments) => (word.trim(), Some(arguments.trim())),
            None => return Err(format!("`{rest}` is not understood behind `{word}`")),
        },
        None => (element, None),
    };
    let lower = word.to_ascii_lowercase().replace('-', "_");
    let Some((_, canonical)) = WORDS.iter().find(|(known, _)| *known == lower) else {
        return Err(unknown(word, &lower));
    };
    let relation = match *canonical {
        "belongs_to" => Some(Kind::BelongsTo),
        "has_many" => Some(Kind::HasMany),
        "has_one" => Some(Kind::HasOne),
        "many_to_many" => Some(Kind::ManyToMany),
        _ => None,
    };
    if let Some(kind) = relation {
        if array {
            return Err(format!("a relationship has no `[]`: `{}(…)`", kind.word()));
        }
        return match arguments.map(|target| target.trim_start_matches("crate::").is_empty()) {
            Some(false) => Ok(Of::Relation(kind, arguments.unwrap_or_default().to_string())),
            _ => Err(format!("say the model at the other end: `{}(User)`", kind.word())),
        };
    }
    let of = scalar(canonical, arguments)?;
    if array {
        let instead = match of {
            Scalar::Text | Scalar::String(Some(_)) => Some("an array has elements without a length: `string[]`"),
            Scalar::Numeric(Some(_)) => Some("an array has elements without digits: `numeric[]`"),
            Scalar::Json => Some("JSON has arrays of its own: `json`"),
            _ => None,
        };
        if let Some(instead) = instead {
            return Err(instead.into());
        }
    }
    Ok(Of::Column(Type { of, array }))
}

fn unknown(said: &str, lower: &str) -> String {
    if said.is_empty() {
        return "a type is missing: `title:string`".into();
    }
    let instead = match lower {
        "timestamp" => Some("`datetime`, a moment in UTC, or `naive_datetime`, in no zone"),
        "money" => Some("`numeric(10,2)`, which is exact"),
        "u8" | "u16" | "u32" | "u64" | "usize" | "isize" | "i8" | "i128" => {
            Some("databases have `smallint`, `int` and `bigint`")
        }
        "array" | "list" | "vec" => Some("write `string[]`"),
        "char" => Some("`string(1)`"),
        "serial" | "bigserial" => Some("the key `id` is there by itself"),
        "references" | "foreign_key" | "ref" => Some("`belongs_to(User)` makes the key and the relationship"),
        _ => None,
    };
    let mut known: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
    match (instead, names::nearest(lower, &known)) {
        (Some(instead), _) => format!("there is no type `{said}`: {instead}"),
        (None, Some(near)) => format!("there is no type `{said}`: did you mean `{near}`?"),
        (None, None) => {
            known = WORDS.iter().map(|(_, canonical)| *canonical).collect();
            known.dedup();
            format!("there is no type `{said}`: {}", known.join(", "))
        }
    }
}

fn scalar(word: &str, arguments: Option<&str>) -> Result<Scalar, String> {
    let plain = match word {
        "text" => Some(Scalar::Text),
        "int" => Some(Scalar::Int),
        "bigint" => Some(Scalar::BigInt),
        "smallint" => Some(Scalar::SmallInt),
        "float" => Some(Scalar::Float),
        "real" => Some(Scalar::Real),
        "bool" => Some(Scalar::Bool),
        "datetime" => Some(Scalar::DateTime),
        "naive_datetime" => Some(Scalar::NaiveDateTime),
        "date" => Some(Scalar::Date),
        "time" => Some(Scalar::Time),
        "interval" => Some(Scalar::Interval),
        "json" => Some(Scalar::Json),
        "uuid" => Some(Scalar::Uuid),
        "bytes" => Some(Scalar::Bytes),
        _ => None,
    };
    match (plain, word, arguments) {
        (Some(plain), _, None) => Ok(plain),
        (Some(_), "text", Some(_)) => Err("text has no length: `string(100)` has".into()),
        (Some(_), _, Some(_)) => Err(format!("`{word}` has nothing in brackets")),
        (None, "string", None) => Ok(Scalar::String(None)),
        (None, "string", Some(length)) => match length.parse::<u32>() {
            Ok(length @ 1..=MAX_LENGTH) => Ok(Scalar::String(Some(length))),
            _ => Err(format!("a length is a number of characters from 1 to {MAX_LENGTH}: `string(100)`")),
        },
        (None, "numeric", None) => Ok(Scalar::Numeric(None)),
        (None, "numeric", Some(digits)) => numeric(digits),
        (None, _, None) => Err("say the values: `enum(draft,published)`".into()),
        (None, _, Some(values)) => enumeration(values),
    }
}

/// What a `varchar` of PostgreSQL holds.
const MAX_LENGTH: u32 = 10_485_760;

fn numeric(digits: &str) -> Result<Scalar, String> {
    let parts: Vec<Option<u32>> = digits.split(',').map(|part| part.trim().parse().ok()).collect();
    match parts[..] {
        // What a `Decimal` holds.
        [Some(precision @ 1..=28), Some(scale)] if scale <= precision => Ok(Scalar::Numeric(Some((precision, scale)))),
        [Some(precision @ 1..=28)] => Ok(Scalar::Numeric(Some((precision, 0)))),
        _ => {
            Err("say how many digits there are (1 to 28), and how many of them after the point: `numeric(10,2)`".into())
        }
    }
}

fn enumeration(said: &str) -> Result<Scalar, String> {
    let mut values: Vec<Value> = Vec::new();
    for word in said.split(',').map(str::trim) {
        let word = unquoted(word);
        let variant = names::as_camel_case(&word.replace(|c: char| !c.is_alphanumeric(), "_"));
        if !names::is_type(&variant) {
            return Err(format!(
                "`{word}` makes no variant of an enum: a value begins with a letter, `enum(draft,published)`"
            ));
        }
        // `enum(Draft)` is the variant, `enum(draft)` the value.
        let value = if word == variant { naming::snake_case(&variant) } else { word };
        if value.len() > 63 {
            return Err(format!("`{value}`: a value has at most 63 bytes on PostgreSQL"));
        }
        if values.iter().any(|known| known.variant == variant || known.value == value) {
            return Err(format!("the value `{value}` is said twice"));
        }
        values.push(Value { variant, value });
    }
    Ok(Scalar::Enum(values))
}

/// A text without the quotes around it.
pub(super) fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| text.to_string(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> Scalar {
        match read(said).unwrap() {
            Of::Column(column) => column.of,
            Of::Relation(..) => panic!("{said} is a column"),
        }
    }

    #[test]
    fn names_of_rust_sql_and_sqlalchemy_are_understood() {
        for (said, expected) in [
            ("string(100)", Scalar::String(Some(100))),
            ("VARCHAR", Scalar::String(None)),
            ("BigInteger", Scalar::BigInt),
            ("i64", Scalar::BigInt),
            ("f32", Scalar::Real),
            ("numeric(10, 2)", Scalar::Numeric(Some((10, 2)))),
            ("decimal(8)", Scalar::Numeric(Some((8, 0)))),
            ("DateTime", Scalar::DateTime),
            ("jsonb", Scalar::Json),
            ("LargeBinary", Scalar::Bytes),
        ] {
            assert_eq!(of(said), expected, "{said}");
        }
        assert_eq!(read("uuid[]").map(|of| matches!(of, Of::Column(Type { array: true, .. }))), Ok(true));
    }

    #[test]
    fn values_of_an_enum_become_variants() {
        let Scalar::Enum(values) = of("enum(draft, in-review, InPrint)") else { panic!("an enum") };
        let shown: Vec<_> = values.iter().map(|value| (value.variant.as_str(), value.value.as_str())).collect();
        assert_eq!(shown, [("Draft", "draft"), ("InReview", "in-review"), ("InPrint", "in_print")]);
        for said in ["enum", "enum()", "enum(a,a)", "enum(a,A)", "enum(2fa)", "enum(self)"] {
            assert!(read(said).is_err(), "{said}");
        }
    }

    #[test]
    fn mistakes_say_what_was_meant() {
        for (said, expected) in [
            ("strng", "did you mean `string`?"),
            ("belong_to(User)", "did you mean `belongs_to`?"),
            ("datetim", "did you mean `datetime`?"),
            ("timestamp", "`naive_datetime`"),
            ("u64", "`bigint`"),
            ("money", "`numeric(10,2)`"),
            ("references", "belongs_to"),
            ("geometry", "string, text, int"),
            ("", "a type is missing"),
            ("string(0)", "from 1 to 10485760"),
            ("string(10485761)", "from 1 to 10485760"),
            ("string(many)", "from 1 to 10485760"),
            ("text(10)", "`string(100)`"),
            ("bool(1)", "nothing in brackets"),
            ("numeric(2,3)", "`numeric(10,2)`"),
            ("numeric(40,2)", "1 to 28"),
            ("string(10)[]", "`string[]`"),
            ("json[]", "`json`"),
            ("string[][]", "arrays of arrays"),
            ("string?[]", "`string[]?`"),
            ("has_many(User)[]", "no `[]`"),
            ("has_many()", "`has_many(User)`"),
            ("string(10)x", "not understood"),
        ] {
            let error = read(said).unwrap_err();
            assert!(error.contains(expected), "{said}: {error}");
        }
    }
}
