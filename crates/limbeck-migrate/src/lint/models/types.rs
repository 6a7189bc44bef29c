//! L011, L012, L020: types that do not fit what a column is for.

use limbeck::schema::SqlType;

use super::subject::{Findings, Subject};
use super::words::words;

const MONEY: &[&str] = &[
    "price", "amount", "total", "subtotal", "cost", "balance", "fee", "salary", "wage", "tax", "vat", "payment",
    "revenue", "budget", "fare", "rent", "income", "deposit", "refund", "invoice",
];

/// What makes a number a proportion, or a measure: `tax_rate`, `total_hours`, `amount_ml`.
const NO_MONEY: &[&str] = &[
    "count",
    "size",
    "time",
    "ms",
    "us",
    "ns",
    "sec",
    "secs",
    "mins",
    "days",
    "weeks",
    "energy",
    "power",
    "speed",
    "height",
    "width",
    "depth",
    "temperature",
    "pressure",
    "humidity",
    "rainfall",
    "kwh",
    "kw",
    "watts",
    "calories",
    "kcal",
    "km",
    "cm",
    "mm",
    "meters",
    "metres",
    "miles",
    "kg",
    "mg",
    "grams",
    "tons",
    "ml",
    "liters",
    "litres",
    "bytes",
    "kb",
    "mb",
    "gb",
    "probability",
    "confidence",
    "coefficient",
    "threshold",
    "rank",
    "rate",
    "ratio",
    "percent",
    "percentage",
    "pct",
    "factor",
    "share",
    "multiplier",
    "weight",
    "score",
    "hours",
    "minutes",
    "seconds",
    "distance",
    "area",
    "volume",
    "duration",
    "length",
    "index",
];

/// L011
pub(super) fn money(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, column) in subject.columns() {
        let words = words(column.name);
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let float = matches!(column.sql_type, SqlType::Double | SqlType::Real);
        if float && has(MONEY) && !has(NO_MONEY) {
            let message = format!("`{}` is money in a float", subject.label(i));
            out.add(
                subject.at(i),
                message,
                "write `Decimal` with `#[column(numeric(12, 2))]`, or count the smallest coins",
            );
        }
    }
}

const ENUMS: &[&str] = &["status", "kind", "state", "type", "role", "stage", "phase", "priority", "gender"];

/// `content_type` is none of a few, and what of an address is a `state`.
const OPEN: &[&str] = &["content", "mime", "media"];
const ADDRESS: &[&str] = &["city", "country", "zip", "zip_code", "postal_code", "postcode"];

/// L012
pub(super) fn enumeration(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, column) in subject.columns() {
        let text = matches!(column.sql_type, SqlType::String { .. } | SqlType::Text);
        let refers =
            column.foreign_key.is_some() || subject.model.foreign_keys.iter().any(|key| key.columns.contains(&i));
        if !text || refers {
            continue;
        }
        let words = words(column.name);
        let last = words.last().map(String::as_str).unwrap_or_default();
        let open = words.iter().any(|word| OPEN.contains(&word.as_str()));
        let address = last == "state" && subject.columns().any(|(_, other)| ADDRESS.contains(&other.name));
        let checked = subject.table.checks.iter().find_map(|check| few_texts(&check.expression, column.name));
        let message = match checked {
            Some(count) => format!("`{}` is text, and a check names its {count} values", subject.label(i)),
            None if ENUMS.contains(&last) && !open && !address => {
                format!("`{}` is text, and one of a few by its name", subject.label(i))
            }
            None => continue,
        };
        out.add(subject.at(i), message, "write an enum with `#[derive(DbEnum)]`");
    }
}

/// How many texts a check of the form `status IN ('a', 'b')` names, if they are few.
fn few_texts(check: &str, column: &str) -> Option<usize> {
    let rest = check.trim().strip_prefix(column)?.trim_start();
    let head = rest.get(..2)?;
    let list = rest.get(2..)?.trim().strip_prefix('(')?.strip_suffix(')')?;
    let texts: Vec<&str> = list.split(',').map(str::trim).collect();
    let quoted = texts.iter().all(|text| text.len() > 1 && text.starts_with('\'') && text.ends_with('\''));
    (head.eq_ignore_ascii_case("in") && quoted && texts.len() <= 20).then_some(texts.len())
}

/// L020
pub(super) fn small_key(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for (i, column) in subject.columns().filter(|(_, column)| column.generated) {
        let most = match column.sql_type {
            SqlType::SmallInteger => "32,767",
            SqlType::Integer => "2,147,483,647",
            _ => continue,
        };
        out.add(subject.at(i), format!("`{}` ends at {most}", subject.label(i)), "write `i64`");
    }
}

#[cfg(test)]
mod tests {
    use super::few_texts;

    #[test]
    fn a_check_of_a_few_texts_is_seen() {
        assert_eq!(few_texts("status IN ('draft', 'published')", "status"), Some(2));
        assert_eq!(few_texts("status in ('draft')", "status"), Some(1));
        for other in ["status <> 'x'", "status_code IN ('a')", "length(status) > 1", "status IN (1, 2)", "stat", ""] {
            assert_eq!(few_texts(other, "status"), None, "{other}");
        }
    }
}
