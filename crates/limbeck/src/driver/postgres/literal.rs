//! Arrays as PostgreSQL's text, `{1,NULL,"a \\"b\\""}`.
//!
//! A batch travels as one array a column, and PostgreSQL would take an array of arrays for a table. So the arrays of
//! a batch are texts, and a cast in the statement makes each what it is.

use std::fmt::Write as _;

use crate::types::{Value, clock, scan};

/// Two billion hours.
const LONG: u64 = 2_000_000_000 * 3_600_000_000;

/// The literal. An error says which value has none.
pub(super) fn array(values: &[Value<'_>]) -> Result<String, String> {
    let mut out = String::with_capacity(values.len() * 8 + 2);
    out.push('{');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        element(value, &mut out)?;
    }
    out.push('}');
    Ok(out)
}

fn element(value: &Value<'_>, out: &mut String) -> Result<(), String> {
    // Writing to a String does not fail.
    let _ = match value {
        Value::Null => out.write_str("NULL"),
        Value::Bool(v) => out.write_str(if *v { "t" } else { "f" }),
        Value::I16(v) => write!(out, "{v}"),
        Value::I32(v) => write!(out, "{v}"),
        Value::I64(v) => write!(out, "{v}"),
        // The shortest form that reads back as the same float; PostgreSQL knows `inf` and `NaN`.
        Value::F32(v) => write!(out, "{v:?}"),
        Value::F64(v) => write!(out, "{v:?}"),
        Value::Decimal(v) => write!(out, "{v}"),
        Value::Text(v) | Value::Json(v) => quoted(v, out),
        Value::Bytes(v) => write!(out, "\"\\\\x{}\"", scan::hex(v)),
        Value::Uuid(v) => out.write_str(&scan::hex(v)),
        Value::DateTime(v) => {
            let (text, era) = era(*v);
            write!(out, "\"{text}+00{era}\"")
        }
        Value::Timestamp(v) => {
            let (text, era) = era(*v);
            write!(out, "\"{text}{era}\"")
        }
        Value::Date(v) => {
            let (text, era) = era(i64::from(*v).saturating_mul(clock::MICROS_PER_DAY));
            write!(out, "\"{}{era}\"", text.split(' ').next().unwrap_or_default())
        }
        Value::Time(v) => write!(out, "\"{}\"", clock::format_time(*v)),
        // PostgreSQL reads no more hours than 32 bits hold.
        Value::Interval(v) => {
            let (days, rest) = match v.unsigned_abs() > LONG {
                true => (v / clock::MICROS_PER_DAY, v % clock::MICROS_PER_DAY),
                false => (0, *v),
            };
            write!(out, "\"{days} days {}\"", clock::format_interval(rest))
        }
        Value::Invalid(reason) => return Err(format!("a parameter is a list with {reason}")),
        Value::Array(_) => return Err("a parameter is an array of arrays".to_string()),
    };
    Ok(())
}

/// A date and time, and ` BC` where it is before the year 1, which PostgreSQL calls 1 BC.
fn era(micros: i64) -> (String, &'static str) {
    let days = micros.div_euclid(clock::MICROS_PER_DAY) as i32;
    let (year, month, day) = clock::civil_from_days(days);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    let time = clock::format_time(micros.rem_euclid(clock::MICROS_PER_DAY));
    (format!("{year:04}-{month:02}-{day:02} {time}"), era)
}

fn quoted(text: &str, out: &mut String) -> std::fmt::Result {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_written_as_postgresql_reads_them() {
        let text = |value: Value<'_>| array(&[Value::Null, value]);
        assert_eq!(array(&[]), Ok("{}".into()));
        assert_eq!(text(Value::Text("a\"\\, {NULL}".into())).unwrap(), r#"{NULL,"a\"\\, {NULL}"}"#);
        assert_eq!(text(Value::Text("".into())).unwrap(), r#"{NULL,""}"#);
        assert_eq!(text(Value::Bytes(vec![0, 255].into())).unwrap(), r#"{NULL,"\\x00ff"}"#);
        assert_eq!(text(Value::DateTime(-1)).unwrap(), r#"{NULL,"1969-12-31 23:59:59.999999+00"}"#);
        assert_eq!(text(Value::Date(-719_529)).unwrap(), r#"{NULL,"0002-12-31 BC"}"#);
        assert_eq!(text(Value::Interval(-90_000_000)).unwrap(), r#"{NULL,"0 days -00:01:30.000000"}"#);
        assert!(text(Value::Invalid("odd".into())).is_err());
    }
}
