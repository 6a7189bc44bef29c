//! The revisions of a folder, compiled in.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// `::limbeck_migrate::Embedded { … }` for a folder beside `Cargo.toml`.
pub(crate) fn expand(folder: &LitStr) -> syn::Result<TokenStream> {
    let error = |message: String| syn::Error::new(folder.span(), message);
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let path = root.join(folder.value());
    if !path.is_dir() {
        return Err(error(format!(
            "there is no folder `{}` in {}: run `limbeck init`, which makes it",
            folder.value(),
            root.display()
        )));
    }
    let lock = path.join("limbeck.lock");
    let text = std::fs::read_to_string(&lock).map_err(|cause| {
        error(format!(
            "cannot read {}: {cause}; `limbeck init` makes it, and every new revision rewrites it",
            lock.display()
        ))
    })?;
    let names = files(&text).map_err(|message| error(format!("{}: {message}", lock.display())))?;
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let file = path.join(name);
        if !file.is_file() {
            return Err(error(format!(
                "{} names `{name}`, which is not there: restore the file, or run `limbeck repair`",
                lock.display()
            )));
        }
        let file = absolute(&file).map_err(&error)?;
        files.push(quote!((#name, ::core::include_str!(#file))));
    }
    let lock = absolute(&lock).map_err(&error)?;
    Ok(quote! {
        ::limbeck_migrate::Embedded {
            lock: ::core::include_str!(#lock),
            files: &[#(#files),*],
        }
    })
}

/// The path as `include_str!` needs it.
fn absolute(path: &Path) -> Result<String, String> {
    let absolute = std::path::absolute(path).map_err(|cause| format!("{}: {cause}", path.display()))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("{}: the path is not UTF-8", absolute.display())),
    }
}

/// The file names of a lock file: `<id> <parents> <file> <hash>` on each line.
fn files(lock: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    for (i, line) in lock.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
            return Err(format!("line {}: a merge conflict; resolve it by `limbeck rebase` or `limbeck merge`", i + 1));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_id, _parents, file, _hash] = words.as_slice() else {
            return Err(format!("line {}: expected `id parents file hash`, found `{line}`", i + 1));
        };
        if Path::new(file).components().count() != 1 {
            return Err(format!("line {}: `{file}` is not the name of a file in this folder", i + 1));
        }
        names.push(*file);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn comments_and_empty_lines_are_skipped() {
        let lock = "# limbeck\n\n91ab34cd56ef - 0001_users.sql 77\r\n3f2a9c1b7d10 91ab34cd56ef 0002_widgets.sql 88\n";
        assert_eq!(files(lock), Ok(vec!["0001_users.sql", "0002_widgets.sql"]));
    }

    #[test]
    fn a_conflict_is_named() {
        assert!(files("<<<<<<< HEAD\n").is_err_and(|error| error.contains("merge conflict")));
    }

    #[test]
    fn a_path_out_of_the_folder_is_refused() {
        assert!(files("a - ../x.sql h\n").is_err());
        assert!(files("a - x.sql\n").is_err());
    }
}
