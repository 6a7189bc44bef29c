//! A struct that derives `View`.

use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{DeriveInput, Expr, Ident, Path, Token, Type, Visibility};

use super::attr;
use super::model::named_fields;
use super::types;
use crate::ctxt::Ctxt;

const OPTIONS: &[&str] = &["column", "path", "expr", "order_by", "filter"];

/// A struct whose fields say what is selected of a model.
pub(crate) struct View {
    pub(crate) ident: Ident,
    /// The struct's name, without `r#`.
    pub(crate) name: String,
    pub(crate) vis: Visibility,
    pub(crate) model: Path,
    pub(crate) fields: Vec<ViewField>,
}

/// A field of one.
pub(crate) struct ViewField {
    pub(crate) ident: Ident,
    /// The field's name, without `r#`.
    pub(crate) field: String,
    pub(crate) ty: Type,
    pub(crate) source: ViewSource,
    /// Of a list.
    pub(crate) order_by: Option<Expr>,
    pub(crate) filter: Option<Expr>,
}

/// Where a field comes from.
pub(crate) enum ViewSource {
    /// Fields of models, each but the last a relationship. A field without options is its own name.
    Path(Vec<Ident>),
    Expr(Expr),
}

impl View {
    /// Reads a struct.
    ///
    /// # Errors
    /// All errors of the struct, as `compile_error!`s.
    pub(crate) fn read(input: &DeriveInput) -> Result<Self, proc_macro2::TokenStream> {
        let ctxt = Ctxt::default();
        let model = model(&ctxt, input);
        if !input.generics.params.is_empty() {
            ctxt.error(&input.generics, "a view cannot be generic: each has a statement of its own");
        }
        let fields: Vec<ViewField> =
            named_fields(&ctxt, input, "a view is a struct with named fields, one for each column")
                .into_iter()
                .flatten()
                .filter_map(|field| ViewField::read(&ctxt, field))
                .collect();
        if fields.is_empty()
            && matches!(&input.data, syn::Data::Struct(data) if matches!(data.fields, syn::Fields::Named(_)))
        {
            ctxt.error(&input.ident, "a view without fields shows nothing");
        }
        ctxt.finish()?;
        let Some(model) = model else { return Err(proc_macro2::TokenStream::new()) };
        Ok(View { ident: input.ident.clone(), name: attr::plain(&input.ident), vis: input.vis.clone(), model, fields })
    }
}

/// The model of `#[view(Post)]`.
fn model(ctxt: &Ctxt, input: &DeriveInput) -> Option<Path> {
    let mut attrs = input.attrs.iter().filter(|attr| attr.path().is_ident("view"));
    let Some(attr) = attrs.next() else {
        ctxt.error(&input.ident, "a view says of which model it is: `#[view(Post)]`");
        return None;
    };
    if let Some(second) = attrs.next() {
        ctxt.error(second, "a view is of one model");
    }
    match attr.parse_args_with(Path::parse_mod_style) {
        Ok(model) => Some(model),
        Err(error) => {
            ctxt.push(syn::Error::new(
                error.span(),
                "a view says of which model it is, and nothing else: `#[view(Post)]`",
            ));
            None
        }
    }
}

impl ViewField {
    fn read(ctxt: &Ctxt, field: &syn::Field) -> Option<Self> {
        let ident = field.ident.clone()?;
        let (mut path, mut expr, mut order_by, mut filter) = (None, None, None, None);
        attr::options(ctxt, &field.attrs, "view", OPTIONS, |option, input| {
            match option.to_string().as_str() {
                "column" => path = Some(vec![attr::field(input)?]),
                "path" if path.is_some() => {
                    return Err(syn::Error::new(option.span(), "say `column` or `path`, not both"));
                }
                "path" => path = Some(fields(input)?),
                "expr" => expr = Some(expression(input)?),
                "order_by" => order_by = Some(expression(input)?),
                "filter" => filter = Some(expression(input)?),
                _ => return Ok(false),
            }
            Ok(true)
        });
        if let (Some(expr), Some(_)) = (&expr, &path) {
            ctxt.error(expr, "a field is an expression or a column, not both");
        }
        let is_list = types::last_segment(&field.ty).is_some_and(|segment| segment.ident == "Vec") && expr.is_none();
        if let (false, Some(option)) = (is_list, order_by.as_ref().or(filter.as_ref())) {
            ctxt.error(option, "`order_by` and `filter` are for a list: a `Vec` over a to-many relationship");
        }
        let source = match (expr, path) {
            (Some(expr), _) => ViewSource::Expr(expr),
            (None, Some(path)) => ViewSource::Path(path),
            (None, None) => ViewSource::Path(vec![ident.clone()]),
        };
        Some(ViewField { field: attr::plain(&ident), ident, ty: field.ty.clone(), source, order_by, filter })
    }
}

/// `= author.company.name`
fn fields(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let mut path = vec![attr::field(input)?];
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        path.push(input.call(Ident::parse_any)?);
    }
    Ok(path)
}

fn expression(input: ParseStream<'_>) -> syn::Result<Expr> {
    input.parse::<Token![=]>()?;
    input.parse()
}
