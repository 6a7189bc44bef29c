//! What a column would not keep as it is: refused before it is sent, alike on every database where that can be.
//!
//! A database may cut, round or refuse, each in its own way, some without a word. A column of a type that keeps every
//! value (an integer, a boolean, a UUID) costs one look at the value's kind.

use super::{Numeric, Value, clock};
use crate::dialect::Dialect;
use crate::schema::SqlType;

/// The first moment that PostgreSQL has, 24 November 4714 BC, in microseconds since 1970. Its last is beyond what 64 bits hold.
const FIRST_MICROS: i64 = -210_866_803_200_000_000;

/// Why a column of that type would not keep the value, in words that follow its name.
pub(crate) fn refusal(dialect: Dialect, sql_type: &SqlType, value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) => {
            if has_nul(text) {
                return Some("text with a NUL character, which PostgreSQL cannot hold".into());
            }
            let SqlType::String { length: Some(length) } = sql_type else { return None };
            // Never more characters than bytes.
            let most = *length as usize;
            let characters = if text.len() > most { text.chars().count() } else { 0 };
            (characters > most).then(|| format!("{characters} characters, but the column holds {length}"))
        }
        Value::F64(number) if number.is_nan() && dialect == Dialect::Sqlite => Some(nan()),
        Value::F32(number) if number.is_nan() && dialect == Dialect::Sqlite => Some(nan()),
        Value::Decimal(number) => digits(dialect, sql_type, number),
        Value::Json(text) => {
            has_nul_escape(text).then(|| "JSON with a NUL character, which PostgreSQL cannot hold".into())
        }
        Value::DateTime(micros) | Value::Timestamp(micros) => (*micros < FIRST_MICROS)
            .then(|| format!("{}, which PostgreSQL cannot hold", clock::format_datetime(*micros))),
        Value::Date(days) => (i64::from(*days) < FIRST_MICROS / clock::MICROS_PER_DAY)
            .then(|| format!("{}, which PostgreSQL cannot hold", clock::format_date(*days))),
        Value::Array(values) => {
            let element = match sql_type {
                SqlType::Array(array) => array.element(),
                other => other,
            };
            let refusal = |(i, value)| refusal(dialect, element, value).map(|reason| format!("element {i}: {reason}"));
            values.iter().enumerate().find_map(refusal)
        }
        Value::Invalid(reason) => Some(reason.to_string()),
        _ => None,
    }
}

fn nan() -> String {
    "NaN, which SQLite would turn into NULL".into()
}

fn digits(dialect: Dialect, sql_type: &SqlType, number: &Numeric) -> Option<String> {
    if let SqlType::Numeric { precision: Some(precision), scale } = sql_type {
        let fraction = number.trimmed().scale();
        if fraction > *scale {
            return Some(format!("{number} has {fraction} digits after the point, but the column holds {scale}"));
        }
        let (whole, most) = (number.whole_digits(), precision.saturating_sub(*scale));
        if whole > most {
            return Some(format!("{number} has {whole} digits before the point, but the column holds {most}"));
        }
    }
    (dialect == Dialect::Sqlite && !number.fits_sqlite())
        .then(|| format!("{number} has more than the 15 significant digits that SQLite keeps exactly"))
}

/// Whether a text has the character U+0000, which databases cannot keep. All of it is looked at, in steps that the
/// compiler makes wide: nearly no text has one, and most are short.
pub(crate) fn has_nul(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | (byte == 0))
}

/// Whether a JSON text has the character U+0000, which is always written as an escape.
fn has_nul_escape(json: &str) -> bool {
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        if rest[at + 1..].starts_with("u0000") {
            return true;
        }
        // An escaped backslash begins no escape.
        let next = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        rest = &rest[at + 1 + next..];
    }
    has_nul(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql_type: SqlType, value: Value<'_>) -> Option<String> {
        let both = [Dialect::Sqlite, Dialect::Postgres].map(|dialect| refusal(dialect, &sql_type, &value));
        assert_eq!(both[0], both[1]);
        both.into_iter().next().flatten()
    }

    #[test]
    fn lengths_are_of_characters() {
        let name = || SqlType::String { length: Some(3) };
        assert_eq!(refused(name(), Value::Text("äöü".into())), None);
        assert_eq!(refused(name(), Value::Text("äöüß".into())).unwrap(), "4 characters, but the column holds 3");
        assert_eq!(refused(SqlType::Text, Value::Text("äöüß".into())), None);
    }

    #[test]
    fn a_decimal_has_to_fit_its_column() {
        let price = || SqlType::Numeric { precision: Some(5), scale: 2 };
        let number = |text: &str| Value::Decimal(text.parse().unwrap());
        for fits in ["999.99", "-999.99", "0", "1.500000", "0.01"] {
            assert_eq!(refused(price(), number(fits)), None, "{fits}");
        }
        let says = |text: &str| refused(price(), number(text)).unwrap();
        assert_eq!(says("0.001"), "0.001 has 3 digits after the point, but the column holds 2");
        assert_eq!(says("1000"), "1000 has 4 digits before the point, but the column holds 3");
    }

    #[test]
    fn sixteen_digits_fit_postgresql_only() {
        let any = SqlType::Numeric { precision: None, scale: 0 };
        let long = Value::Decimal("1234567890.123456".parse().unwrap());
        assert_eq!(refusal(Dialect::Postgres, &any, &long), None);
        assert!(refusal(Dialect::Sqlite, &any, &long).unwrap().contains("15 significant digits"));
    }

    #[test]
    fn a_nul_is_found_in_json() {
        let json = |text: &'static str| refused(SqlType::Json { binary: true }, Value::Json(text.into()));
        assert_eq!(json(r#"{"a": "\\u0000 é \n"}"#), None);
        assert!(json(r#"{"a": "\u0000"}"#).is_some());
        assert!(json(r#"["\\\u0000"]"#).is_some());
        assert_eq!(json("\"\\"), None);
    }

    #[test]
    fn an_element_is_named_by_its_place() {
        let array = SqlType::Array(crate::schema::ArrayType::of::<String>());
        let values = vec![Value::Null, Value::Text("a\0".into())];
        assert!(refused(array, Value::Array(values)).unwrap().starts_with("element 1: text with a NUL"));
    }
}
