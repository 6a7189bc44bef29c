//! The tables: for people as Markdown, for programs as JSON.

use std::fmt::Write;

use crate::measure::{Samples, median, ratio};

/// The measurements on one database.
pub struct Report {
    /// What answered, and where.
    pub database: String,
    /// The contenders; the first is what the others are compared with.
    pub names: Vec<&'static str>,
    pub rows: Vec<(String, Samples)>,
}

impl Report {
    pub fn markdown(&self) -> String {
        let mut out = format!("## {}\n\n| |", self.database);
        for name in &self.names {
            let _ = write!(out, " {name} |");
        }
        let _ = write!(out, "\n|---|{}\n", "--:|".repeat(self.names.len()));
        for (label, samples) in &self.rows {
            let _ = write!(out, "| {label} |");
            for (at, of) in samples.iter().enumerate() {
                let cell = match (median(of), ratio(of, &samples[0])) {
                    (Some(time), _) if at == 0 => human(time),
                    (Some(time), Some(ratio)) => format!("{} ({ratio:.2} ×)", human(time)),
                    _ => "–".into(),
                };
                let _ = write!(out, " {cell} |");
            }
            out.push('\n');
        }
        out
    }

    pub fn json(&self) -> String {
        let mut rows = Vec::new();
        for (label, samples) in &self.rows {
            let cells: Vec<String> = self
                .names
                .iter()
                .zip(samples)
                .filter_map(|(name, of)| {
                    let (time, ratio) = (median(of)?, ratio(of, &samples[0])?);
                    Some(format!("{{\"contender\": \"{name}\", \"seconds\": {time:e}, \"ratio\": {ratio:.4}}}"))
                })
                .collect();
            rows.push(format!("    {{\"work\": \"{label}\", \"results\": [{}]}}", cells.join(", ")));
        }
        format!("  {{\"database\": \"{}\", \"rows\": [\n{}\n  ]}}", self.database, rows.join(",\n"))
    }
}

fn human(seconds: f64) -> String {
    let micros = seconds * 1e6;
    if micros < 10.0 {
        format!("{micros:.2} µs")
    } else if micros < 1_000.0 {
        format!("{micros:.1} µs")
    } else {
        format!("{:.2} ms", micros / 1e3)
    }
}
