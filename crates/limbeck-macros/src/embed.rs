//! The revisions of a folder, compiled in.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// `::limbeck_migrate::Embedded { … }` for a folder beside the `Cargo.toml` of the package that is compiled.
pub(crate) fn expand(folder: &LitStr) -> syn::Result<TokenStream> {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    in_package(&root, folder)
}

fn in_package(root: &Path, folder: &LitStr) -> syn::Result<TokenStream> {
    let error = |message: String| syn::Error::new(folder.span(), message);
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
            return Err(format!(
                "line {}: a merge conflict of two new revisions: keep both lines, make the later one follow the other (`revises=` in \
                 its file), and run `limbeck repair`",
                i + 1
            ));
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
    use std::fs;

    use proc_macro2::Span;

    use super::*;

    /// A package in a folder of its own, which is removed at the end.
    struct Package(PathBuf);

    impl Package {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("limbeck-embed-{}-{name}", std::process::id()));
            fs::create_dir_all(root.join("migrations")).expect("a temporary folder");
            for (file, text) in files {
                fs::write(root.join("migrations").join(file), text).expect("a temporary file");
            }
            Package(root)
        }

        fn embed(&self, folder: &str) -> Result<String, String> {
            let tokens = in_package(&self.0, &LitStr::new(folder, Span::call_site()));
            tokens.map(|tokens| tokens.to_string()).map_err(|error| error.to_string())
        }
    }

    impl Drop for Package {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_lock_and_every_file_that_it_names_are_included() {
        let lock = "# limbeck\n\n91ab34cd56ef - 0001_users.sql 77\r\n3f2a9c1b7d10 91ab34cd56ef 0002_tags.sql 88\n";
        let package = Package::new(
            "all",
            &[("limbeck.lock", lock), ("0001_users.sql", ""), ("0002_tags.sql", ""), ("notes.sql", "")],
        );
        let tokens = package.embed("migrations").expect("it is whole");
        let file: syn::ExprStruct = syn::parse_str(&tokens).expect("an expression");
        assert_eq!(file.fields.len(), 2);
        assert_eq!(tokens.matches("include_str").count(), 3, "{tokens}");
        let users = package.0.join("migrations/0001_users.sql");
        assert!(tokens.contains(&format!("{users:?}")) && tokens.contains("\"0001_users.sql\""), "{tokens}");
        assert!(!tokens.contains("notes.sql"), "{tokens}");
    }

    #[test]
    fn a_package_without_the_folder_is_told_to_make_it() {
        let error = Package::new("none", &[]).embed("migration").expect_err("there is none");
        assert!(error.contains("no folder `migration`") && error.contains("limbeck init"), "{error}");
        let error = Package::new("no-lock", &[]).embed("migrations").expect_err("there is no lock");
        assert!(error.contains("limbeck.lock") && error.contains("limbeck init"), "{error}");
    }

    #[test]
    fn a_file_that_is_gone_is_named() {
        let package = Package::new("gone", &[("limbeck.lock", "91ab34cd56ef - 0001_users.sql 77\n")]);
        let error = package.embed("migrations").expect_err("the file is gone");
        assert!(error.contains("0001_users.sql") && error.contains("not there"), "{error}");
    }

    #[test]
    fn a_conflict_is_named_with_its_line() {
        let package = Package::new("conflict", &[("limbeck.lock", "# limbeck\n<<<<<<< HEAD\n")]);
        let error = package.embed("migrations").expect_err("a conflict");
        assert!(error.contains("line 2: a merge conflict"), "{error}");
    }

    #[test]
    fn a_line_that_is_none_or_leads_out_of_the_folder_is_refused() {
        assert!(files("a - ../x.sql h\n").is_err());
        assert!(files("a - /etc/passwd h\n").is_err());
        assert!(files("a - x.sql\n").is_err());
        assert_eq!(files("a - x.sql h\n"), Ok(vec!["x.sql"]));
    }
}
