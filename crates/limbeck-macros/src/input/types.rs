//! What can be told from a type's tokens.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The last segment of a type that is a path: `Option<T>` of `std::option::Option<T>`.
pub(super) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// The one type argument of a segment: `T` of `Option<T>`.
pub(super) fn only_argument(segment: &PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => match &arguments.args[0] {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

/// `T`, where the type is written `Option<T>`.
pub(super) fn option_of(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty)?;
    if segment.ident == "Option" { only_argument(segment) } else { None }
}

/// `T`, where the type is written `Deferred<T>`.
pub(super) fn deferred(ty: &Type) -> Option<&Type> {
    let segment = last_segment(ty)?;
    if segment.ident == "Deferred" { only_argument(segment) } else { None }
}

/// Whether the type is written as one of the integers that a database can generate.
pub(super) fn is_key_integer(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| ["i16", "i32", "i64"].iter().any(|name| segment.ident == name))
}

/// Whether the type is written as a float.
pub(super) fn is_float(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "f32" || segment.ident == "f64")
}

/// Whether values of the type may be NULL, as far as its tokens say: an alias says nothing.
pub(super) fn nullability(ty: &Type) -> Option<bool> {
    const PLAIN: [&str; 7] = ["i16", "i32", "i64", "f32", "f64", "bool", "String"];
    if option_of(ty).is_some() {
        return Some(true);
    }
    let segment = last_segment(ty)?;
    PLAIN.iter().any(|name| segment.ident == name).then_some(false)
}
