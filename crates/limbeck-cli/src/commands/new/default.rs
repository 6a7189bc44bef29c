//! `default=…`: a value as it is said, as the expression of Rust that makes it.

use super::project::{Dates, Project};
use super::types::{Scalar, Type, unquoted};

/// What a default is.
#[derive(Debug, PartialEq)]
pub(super) enum Default {
    /// A literal, which the builder's setters take as it is, whether the column may be NULL or not.
    Literal(String),
    /// Of exactly the type of the values.
    Value(String),
}

impl Default {
    /// The option of the column.
    pub(super) fn option(&self, nullable: bool) -> String {
        match self {
            Default::Value(expression) if nullable => format!("default = Some({expression})"),
            Default::Literal(expression) | Default::Value(expression) => format!("default = {expression}"),
        }
    }
}

/// The expression for a default of that type. `name` is what its enum is called, where it is one.
pub(super) fn read(said: &str, ty: &Type, name: &str, project: &Project) -> Result<Default, String> {
    let expected = |what: &str| Err(format!("`default={said}`: expected {what}"));
    let text = unquoted(said);
    if ty.array {
        return match said {
            "[]" | "empty" => Ok(Default::Value("Vec::new()".into())),
            _ => expected("`[]`, an array without elements"),
        };
    }
    match &ty.of {
        Scalar::Bool => match said {
            "true" | "false" => Ok(Default::Literal(said.into())),
            _ => expected("true or false"),
        },
        Scalar::SmallInt => integer::<i16>(said).map_or_else(|| expected("a whole number of 16 bits"), Ok),
        Scalar::Int => integer::<i32>(said).map_or_else(|| expected("a whole number of 32 bits"), Ok),
        Scalar::BigInt => integer::<i64>(said).map_or_else(|| expected("a whole number"), Ok),
        Scalar::Float => match said.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Default::Literal(format!("{number:?}"))),
            _ => expected("a number"),
        },
        Scalar::Real => match said.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(Default::Literal(format!("{number:?}"))),
            _ => expected("a number"),
        },
        Scalar::String(Some(length)) if text.chars().count() > *length as usize => {
            expected(&format!("at most {length} characters"))
        }
        Scalar::String(_) | Scalar::Text if text.contains('\0') => expected("text without a NUL character"),
        Scalar::String(_) | Scalar::Text => Ok(Default::Literal(format!("{text:?}"))),
        Scalar::Numeric(digits) => decimal(said, *digits).map_or_else(
            || match digits {
                Some((precision, scale)) => {
                    expected(&format!("a number of at most {precision} digits, {scale} of them after the point"))
                }
                None => expected("a number, such as 19.95"),
            },
            |expression| Ok(Default::Value(expression)),
        ),
        Scalar::DateTime | Scalar::NaiveDateTime | Scalar::Date | Scalar::Time => {
            let is_now = said == "now" || (said == "today" && ty.of == Scalar::Date);
            match now(&ty.of, project.dates()) {
                Some(expression) if is_now => Ok(Default::Value(expression.into())),
                _ => expected("`now`; for another value write it into the file, or say it in SQL by `server_default`"),
            }
        }
        Scalar::Interval => match seconds(said) {
            Some(seconds) => Ok(Default::Value(match project.dates() {
                Some(Dates::Jiff) => format!("jiff::SignedDuration::from_secs({seconds})"),
                Some(Dates::Time) => format!("time::Duration::seconds({seconds})"),
                _ => format!("TimeDelta::seconds({seconds})"),
            })),
            None => expected("a number and a unit, such as 30s, 90m, 12h, 7d"),
        },
        Scalar::Json => match serde_json::from_str::<serde_json::Value>(said) {
            Ok(_) => Ok(Default::Value(format!("serde_json::json!({said})"))),
            Err(_) => expected("JSON, such as {} or []"),
        },
        Scalar::Uuid => match said {
            "new" => match new_uuid(project) {
                Some(expression) => Ok(Default::Value(expression.into())),
                None => Err("`default=new` needs a way to make UUIDs: `cargo add uuid --features v7`".into()),
            },
            "nil" => Ok(Default::Value("Uuid::nil()".into())),
            _ => expected("`new` or `nil`"),
        },
        Scalar::Bytes => match said {
            "" | "empty" => Ok(Default::Value("Vec::new()".into())),
            _ => expected("`empty`; for others write them into the file"),
        },
        Scalar::Enum(values) => match values.iter().find(|value| value.value == text || value.variant == text) {
            Some(value) => Ok(Default::Value(format!("{name}::{}", value.variant))),
            None => {
                let known: Vec<&str> = values.iter().map(|value| value.value.as_str()).collect();
                expected(&format!("one of {}", known.join(", ")))
            }
        },
    }
}

fn integer<T: std::str::FromStr + std::fmt::Display>(said: &str) -> Option<Default> {
    said.parse::<T>().ok().map(|number| Default::Literal(number.to_string()))
}

/// `Decimal::new(1995, 2)` for `19.95`, with as many digits behind the point as the column keeps.
fn decimal(said: &str, digits: Option<(u32, u32)>) -> Option<String> {
    let (sign, rest) = match said.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", said),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || (rest.contains('.') && fraction.is_empty()) {
        return None;
    }
    let scale = digits.map_or(fraction.len(), |(_, scale)| scale as usize);
    if fraction.len() > scale {
        return None;
    }
    let mantissa: i64 = format!("{whole}{fraction:0<scale$}").parse().ok()?;
    let fits = digits.is_none_or(|(precision, _)| mantissa.to_string().len() <= precision as usize);
    fits.then(|| match mantissa {
        0 => format!("Decimal::new(0, {scale})"),
        _ => format!("Decimal::new({sign}{mantissa}, {scale})"),
    })
}

/// What makes the time that it is.
pub(super) fn now(of: &Scalar, dates: Option<Dates>) -> Option<&'static str> {
    Some(match (dates?, of) {
        (Dates::Chrono, Scalar::DateTime) => "Utc::now()",
        (Dates::Chrono, Scalar::NaiveDateTime) => "Utc::now().naive_utc()",
        (Dates::Chrono, Scalar::Date) => "Utc::now().date_naive()",
        (Dates::Chrono, Scalar::Time) => "Utc::now().time()",
        (Dates::Jiff, Scalar::DateTime) => "jiff::Timestamp::now()",
        (Dates::Jiff, Scalar::NaiveDateTime) => "jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime()",
        (Dates::Jiff, Scalar::Date) => "jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()",
        (Dates::Jiff, Scalar::Time) => "jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).time()",
        (Dates::Time, Scalar::DateTime) => "time::OffsetDateTime::now_utc()",
        (Dates::Time, Scalar::NaiveDateTime) => {
            "{ let now = time::OffsetDateTime::now_utc(); time::PrimitiveDateTime::new(now.date(), now.time()) }"
        }
        (Dates::Time, Scalar::Date) => "time::OffsetDateTime::now_utc().date()",
        (Dates::Time, Scalar::Time) => "time::OffsetDateTime::now_utc().time()",
        _ => return None,
    })
}

/// What makes a new UUID: one of version 7, which keeps rows together that were made together, where there is one.
pub(super) fn new_uuid(project: &Project) -> Option<&'static str> {
    match (project.has("uuid", "v7"), project.has("uuid", "v4")) {
        (true, _) => Some("Uuid::now_v7()"),
        (false, true) => Some("Uuid::new_v4()"),
        (false, false) => None,
    }
}

/// `90m` as seconds.
fn seconds(said: &str) -> Option<i64> {
    let (number, unit) = said.split_at_checked(said.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_the_digits_of_their_column() {
        for (said, digits, expected) in [
            ("19.95", Some((10, 2)), Some("Decimal::new(1995, 2)")),
            ("1.5", Some((10, 2)), Some("Decimal::new(150, 2)")),
            ("-2", Some((10, 2)), Some("Decimal::new(-200, 2)")),
            ("0", Some((10, 2)), Some("Decimal::new(0, 2)")),
            ("0.125", None, Some("Decimal::new(125, 3)")),
            ("1.005", Some((10, 2)), None),
            ("123", Some((4, 2)), None),
            ("1.", None, None),
            (".5", None, None),
            ("ten", None, None),
        ] {
            assert_eq!(decimal(said, digits).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn intervals_are_a_number_and_a_unit() {
        assert_eq!(
            ["30s", "90m", "2h", "1d", "-1m"].map(seconds),
            [Some(30), Some(5400), Some(7200), Some(86_400), Some(-60)]
        );
        assert_eq!(["", "m", "90", "1w", "1ä"].map(seconds), [None; 5]);
    }
}
