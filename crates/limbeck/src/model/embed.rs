//! Embedded structs: a group of columns with a name of its own, as `User.timestamps.created_at`.
//!
//! The macro that reads a model cannot see the fields of a struct that it embeds. So the columns of a model are put
//! together while the program compiles, by the constant functions of this file: the model's own first, whose numbers
//! the macro knows; then those of the embedded structs, whose numbers are sums of constants; deferred ones last.

use super::{ColumnDef, ColumnOptions, ColumnSet};
use crate::__private::same;
use crate::driver::Row;
use crate::schema::SqlType;
use crate::types::{Cell, DecodeError, Value};

/// A struct whose fields are columns of the models that embed it. `#[derive(Embed)]` implements it; it is not meant to
/// be written by hand.
///
/// ```
/// use limbeck::prelude::*;
///
/// #[derive(Embed, Debug, Clone, PartialEq)]
/// struct Address {
///     street: String,
///     #[column(length = 10)]
///     zip: String,
/// }
///
/// #[derive(Model)]
/// struct Customer {
///     #[column(primary_key)]
///     id: i64,
///     #[model(embed, prefix = "home_")]
///     home: Address,
///     #[model(embed, prefix = "billing_")]
///     billing: Address,
/// }
///
/// assert_eq!(Customer.billing.zip.def().name, "billing_zip");
/// let nearby = select(Customer).filter(Customer.home.zip.eq("10115"));
/// ```
///
/// Columns are numbered within the struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be embedded in a model",
    label = "`{Self}` needs `#[derive(Embed)]`"
)]
pub trait Embedded: Sized + Send + Sync + 'static {
    /// The columns, named without the prefix of a model.
    const COLUMNS: &'static [ColumnDef];

    /// Whether each column has a default or may be NULL, so that a new object can leave the whole struct out.
    const DEFAULTED: bool;

    /// The columns as constants of the model `M`: what `User.timestamps` is.
    type Columns<M>: Copy;

    /// Reads the struct; its first column is at position `at` of the row.
    ///
    /// # Errors
    /// When a column holds something that its type cannot read.
    fn decode(row: &Row<'_>, at: usize) -> Result<Self, DecodeError>;

    /// The value of a column.
    fn value(&self, column: usize) -> Value<'_>;

    /// Sets a column from a cell.
    ///
    /// # Errors
    /// When the cell holds something that the column's type cannot read.
    fn set_value(&mut self, column: usize, cell: Cell<'_>) -> Result<(), DecodeError>;

    /// A copy.
    fn snapshot(&self) -> Self;

    /// The columns that differ between the two.
    fn changed(&self, old: &Self) -> ColumnSet;

    /// Brings the given columns to what a database keeps of them.
    fn normalize(&mut self, columns: ColumnSet);

    /// Applies `on_update` to columns that are not among `changed`; returns those that it set.
    fn touch(&mut self, changed: ColumnSet) -> ColumnSet;

    /// What `on_update` says of columns that are not among `changed`, for a statement that changes rows without their
    /// objects.
    fn touched(changed: ColumnSet) -> Vec<(usize, Value<'static>)> {
        let _ = changed;
        Vec::new()
    }

    /// The struct of a new object that left it out, and which of its columns have a value by that. `None` unless it is
    /// [`DEFAULTED`](Self::DEFAULTED).
    fn absent() -> Option<(Self, ColumnSet)>;
}

/// An embedded struct of a model. Used by the derives.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The field's name.
    pub field: &'static str,
    /// What its columns' names begin with.
    pub prefix: &'static str,
    /// Its columns.
    pub columns: &'static [ColumnDef],
}

/// How many bytes [`names`] writes.
#[doc(hidden)]
pub const fn names_length(parts: &[Part]) -> usize {
    let mut length = 0;
    let mut p = 0;
    while p < parts.len() {
        let mut c = 0;
        while c < parts[p].columns.len() {
            let column = &parts[p].columns[c];
            length += parts[p].field.len() + 1 + column.field.len() + parts[p].prefix.len() + column.name.len();
            c += 1;
        }
        p += 1;
    }
    length
}

/// The names of embedded columns, one behind the other: `timestamps.created_at`, `created_at`, and so on.
#[doc(hidden)]
pub const fn names<const N: usize>(parts: &[Part]) -> [u8; N] {
    let mut text = Text::<N>::new();
    let mut p = 0;
    while p < parts.len() {
        let mut c = 0;
        while c < parts[p].columns.len() {
            let column = &parts[p].columns[c];
            text.push(parts[p].field);
            text.push(".");
            text.push(column.field);
            text.push(parts[p].prefix);
            text.push(column.name);
            c += 1;
        }
        p += 1;
    }
    text.bytes
}

/// All columns of a model or of an embedded struct. `names` is what [`names`] wrote for the parts.
#[doc(hidden)]
pub const fn columns<const N: usize>(
    own: &[ColumnDef],
    parts: &[Part],
    names: &'static [u8],
    deferred: &[ColumnDef],
) -> [ColumnDef; N] {
    const NONE: ColumnDef = ColumnDef {
        field: "",
        name: "",
        sql_type: &SqlType::Text,
        nullable: false,
        unique: false,
        index: false,
        generated: false,
        server_default: None,
        foreign_key: None,
        options: ColumnOptions::NONE,
        deferred: false,
    };
    let mut all = [NONE; N];
    let mut next = 0;
    let mut i = 0;
    while i < own.len() {
        all[next] = own[i];
        next += 1;
        i += 1;
    }
    let mut names = names;
    let mut p = 0;
    while p < parts.len() {
        let mut c = 0;
        while c < parts[p].columns.len() {
            let mut column = parts[p].columns[c];
            (column.field, names) = split(names, parts[p].field.len() + 1 + column.field.len());
            (column.name, names) = split(names, parts[p].prefix.len() + column.name.len());
            all[next] = column;
            next += 1;
            c += 1;
        }
        p += 1;
    }
    i = 0;
    while i < deferred.len() {
        all[next] = deferred[i];
        next += 1;
        i += 1;
    }
    all
}

const fn split(names: &'static [u8], length: usize) -> (&'static str, &'static [u8]) {
    let (name, rest) = names.split_at(length);
    match std::str::from_utf8(name) {
        Ok(name) => (name, rest),
        Err(_) => panic!("names are put together whole"),
    }
}

/// Checks, while the program compiles, what only all columns together show.
///
/// # Panics
/// When there are too many, or two of one name: the message is the compiler's error.
#[doc(hidden)]
#[track_caller]
pub const fn check(model: &str, columns: &[ColumnDef]) {
    let mut message = Text::<400>::new();
    message.push("`");
    message.push(model);
    if columns.len() > ColumnSet::MAX {
        message.push("` has too many columns with those that it embeds; a model has at most 128");
        message.panic();
    }
    let mut i = 0;
    while i < columns.len() {
        let mut j = 0;
        while j < i {
            if same(columns[i].name, columns[j].name) {
                message.push("`: `");
                message.push(columns[j].field);
                message.push("` and `");
                message.push(columns[i].field);
                message.push("` are both column `");
                message.push(columns[i].name);
                message.push("`: give an embedded struct a prefix, `#[model(embed, prefix = \"…\")]`");
                message.panic();
            }
            j += 1;
        }
        i += 1;
    }
}

/// The number of a column of an embedded struct within it, for an option of the model's table.
///
/// # Panics
/// When it has none of that name: the message is the compiler's error.
#[doc(hidden)]
#[track_caller]
pub const fn embedded_column(model: &str, embedded: &str, field: &str, columns: &[ColumnDef]) -> usize {
    let mut i = 0;
    while i < columns.len() {
        if same(columns[i].field, field) {
            return i;
        }
        i += 1;
    }
    let mut message = Text::<400>::new();
    message.push("`");
    message.push(model);
    message.push("` has no column `");
    message.push(embedded);
    message.push(".");
    message.push(field);
    message.push("`: there are");
    i = 0;
    while i < columns.len() {
        message.push(if i == 0 { " `" } else { ", `" });
        message.push(embedded);
        message.push(".");
        message.push(columns[i].field);
        message.push("`");
        i += 1;
    }
    message.panic()
}

/// Text that a constant puts together; what does not fit is left out.
struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    const fn new() -> Self {
        Text { bytes: [0; N], length: 0 }
    }

    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.length < N {
            self.bytes[self.length] = text[i];
            self.length += 1;
            i += 1;
        }
    }

    #[track_caller]
    const fn panic(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("the columns of a model and of the structs that it embeds do not fit together"),
        }
    }
}

impl ColumnSet {
    /// The columns of an embedded struct, seen from the model in which its first is number `first`.
    #[doc(hidden)]
    pub const fn outside(self, first: usize) -> Self {
        if first >= Self::MAX { Self::EMPTY } else { ColumnSet(self.0 << first) }
    }

    /// Of a model's columns those of an embedded struct of `width` columns, of which the first is number `first`.
    #[doc(hidden)]
    pub const fn inside(self, first: usize, width: usize) -> Self {
        if first >= Self::MAX { Self::EMPTY } else { ColumnSet((self.0 >> first) & Self::first(width).0) }
    }
}
