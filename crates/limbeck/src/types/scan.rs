//! The texts that SQLite keeps where it has no type: JSON arrays of scalar values, and hexadecimal digits.
//!
//! An array column does not ask for a JSON library, so that programs without JSON do not compile one.

#[cfg(feature = "sqlite")]
use super::Value;

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    out
}

/// Hexadecimal digits as bytes.
#[cfg(feature = "sqlite")]
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| (pair[0] << 4) | pair[1]).collect())
}

/// The elements of a JSON array of scalar values; `None` for any other text. Numbers without a point or exponent that
/// 64 bits hold are integers.
#[cfg(feature = "sqlite")]
pub(crate) fn json_array(text: &str) -> Option<Vec<Value<'static>>> {
    let mut scan = Scan { rest: text };
    let mut values = Vec::new();
    scan.symbol('[')?;
    if scan.symbol(']').is_none() {
        loop {
            values.push(scan.scalar()?);
            if scan.symbol(',').is_none() {
                scan.symbol(']')?;
                break;
            }
        }
    }
    scan.rest.trim_start().is_empty().then_some(values)
}

#[cfg(feature = "sqlite")]
struct Scan<'t> {
    rest: &'t str,
}

#[cfg(feature = "sqlite")]
impl Scan<'_> {
    fn symbol(&mut self, symbol: char) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(symbol)?;
        Some(())
    }

    fn scalar(&mut self) -> Option<Value<'static>> {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('"') {
            self.rest = rest;
            return self.string().map(|text| Value::Text(text.into()));
        }
        let end = self.rest.find([',', ']', ' ', '\n', '\t', '\r']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" => Some(Value::Null),
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ if !word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => None,
            _ => match word.parse() {
                Ok(integer) => Some(Value::I64(integer)),
                Err(_) => word.parse().ok().map(Value::F64),
            },
        }
    }

    /// A string, whose first quote is read already.
    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            let at = self.rest.find(['"', '\\'])?;
            out.push_str(&self.rest[..at]);
            let escaped = self.rest[at..].starts_with('\\');
            self.rest = &self.rest[at + 1..];
            if !escaped {
                return Some(out);
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let escape = self.rest.chars().next()?;
        self.rest = &self.rest[escape.len_utf8()..];
        Some(match escape {
            '"' | '\\' | '/' => escape,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.unit()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                // A character beyond the first plane is two of them.
                self.rest = self.rest.strip_prefix("\\u")?;
                let low = self.unit()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                char::from_u32(0x10000 + ((unit - 0xD800) << 10) + low)?
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        self.rest = &self.rest[4..];
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_and_nothing_else_is() {
        assert_eq!(json_array(" [ ] "), Some(vec![]));
        assert_eq!(
            json_array(r#"[1, -2.5,null,true , false,"a\"b\\\u00e9\ud83d\ude00\n","ü",9e999]"#),
            Some(vec![
                Value::I64(1),
                Value::F64(-2.5),
                Value::Null,
                Value::Bool(true),
                Value::Bool(false),
                Value::Text("a\"b\\é😀\n".into()),
                Value::Text("ü".into()),
                Value::F64(f64::INFINITY),
            ])
        );
        for bad in
            ["", "[", "[1", "[1,]", "[1 2]", "[]]", "{}", "[[1]]", "[\"a]", r#"["\x"]"#, r#"["\ud800"]"#, "[inf]", "1"]
        {
            assert_eq!(json_array(bad), None, "{bad}");
        }
    }

    #[test]
    fn bytes_as_digits() {
        assert_eq!(hex(&[0, 0xAB, 0xFF]), "00abff");
        assert_eq!(unhex("00aBff"), Some(vec![0, 0xAB, 0xFF]));
        assert_eq!((unhex("0"), unhex("0g"), unhex("")), (None, None, Some(vec![])));
    }
}
