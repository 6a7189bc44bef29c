//! A struct that derives `FromRow`.

use syn::{DeriveInput, Ident, Type};

use super::attr;
use super::model::named_fields;
use crate::ctxt::Ctxt;

const OPTIONS: &[&str] = &["name", "default", "flatten", "prefix"];

/// A struct that is read from rows by the names of their columns.
pub(crate) struct FromRow {
    pub(crate) ident: Ident,
    /// The struct's name, without `r#`.
    pub(crate) name: String,
    pub(crate) fields: Vec<RowField>,
}

/// A field of one.
pub(crate) struct RowField {
    pub(crate) ident: Ident,
    /// The field's name, without `r#`.
    pub(crate) field: String,
    pub(crate) ty: Type,
    pub(crate) source: RowSource,
}

/// Where a field comes from.
pub(crate) enum RowSource {
    Column { name: String, or_default: bool },
    Flatten { prefix: String },
}

impl FromRow {
    /// Reads a struct.
    ///
    /// # Errors
    /// All errors of the struct, as `compile_error!`s.
    pub(crate) fn read(input: &DeriveInput) -> Result<Self, proc_macro2::TokenStream> {
        let ctxt = Ctxt::default();
        if !input.generics.params.is_empty() {
            ctxt.error(&input.generics, "a struct that derives `FromRow` cannot be generic");
        }
        let what = "a struct that derives `FromRow` has named fields, one for each column";
        let fields = named_fields(&ctxt, input, what).into_iter().flatten();
        let row = FromRow {
            ident: input.ident.clone(),
            name: attr::plain(&input.ident),
            fields: fields.filter_map(|field| RowField::read(&ctxt, field)).collect(),
        };
        if row.fields.is_empty() {
            ctxt.error(&input.ident, "there is no field to read a column into");
        }
        ctxt.finish()?;
        Ok(row)
    }
}

impl RowField {
    fn read(ctxt: &Ctxt, field: &syn::Field) -> Option<Self> {
        let ident = field.ident.clone()?;
        let plain = attr::plain(&ident);
        let (mut name, mut prefix, mut or_default, mut flatten) = (None, None, false, false);
        attr::options(ctxt, &field.attrs, "from_row", OPTIONS, |option, input| {
            match option.to_string().as_str() {
                "name" => name = Some(attr::text(input)?),
                "prefix" => prefix = Some(attr::text(input)?),
                "default" => or_default = attr::flag(input)?,
                "flatten" => flatten = attr::flag(input)?,
                _ => return Ok(false),
            }
            Ok(true)
        });
        if let (true, Some(name)) = (flatten, &name) {
            ctxt.error(name, "a field that is flattened has no column of its own: its columns have their own names");
        }
        if flatten && or_default {
            ctxt.error(&ident, "say `default` at the fields of the flattened struct, or make this one an `Option`");
        }
        if let (false, Some(prefix)) = (flatten, &prefix) {
            ctxt.error(prefix, "`prefix` is for a field that is flattened; the column of this one is `name = \"…\"`");
        }
        let source = if flatten {
            RowSource::Flatten { prefix: prefix.map(|prefix| prefix.value()).unwrap_or_default() }
        } else {
            RowSource::Column { name: name.map_or_else(|| plain.clone(), |name| name.value()), or_default }
        };
        Some(RowField { ident, field: plain, ty: field.ty.clone(), source })
    }
}
