//! Values as people read them, in an audit log for example.

use std::fmt;

use super::{Value, clock, hyphenated};

impl fmt::Display for Value<'_> {
    /// Text as it is, times as SQLite keeps them, bytes as `\x00ff`, `NULL`. It is not SQL, and not for statements.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Bool(v) => write!(f, "{v}"),
            Value::I16(v) => write!(f, "{v}"),
            Value::I32(v) => write!(f, "{v}"),
            Value::I64(v) => write!(f, "{v}"),
            Value::F32(v) => write!(f, "{v}"),
            Value::F64(v) => write!(f, "{v}"),
            Value::Text(v) | Value::Json(v) => f.write_str(v),
            Value::Bytes(v) => {
                f.write_str("\\x")?;
                v.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Value::DateTime(v) | Value::Timestamp(v) => f.write_str(&clock::format_datetime(*v)),
            Value::Date(v) => f.write_str(&clock::format_date(*v)),
            Value::Time(v) => f.write_str(&clock::format_time(*v)),
            Value::Interval(v) => f.write_str(&clock::format_interval(*v)),
            Value::Decimal(v) => write!(f, "{v}"),
            Value::Uuid(v) => f.write_str(&hyphenated(v)),
            Value::Array(list) => {
                f.write_str("[")?;
                for (i, element) in list.iter().enumerate() {
                    write!(f, "{}{element}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Value::Invalid(reason) => write!(f, "<{reason}>"),
        }
    }
}
