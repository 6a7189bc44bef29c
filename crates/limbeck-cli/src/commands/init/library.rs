//! A package that is only a program gets a library: its modules have to be in one for a second program, the
//! project's limbeck, to use them.

use std::path::{Path, PathBuf};

use limbeck_migrate::Error;

use crate::config::in_file;
use crate::output::{ask, note};

/// What is to be done to `src/main.rs`, and what `src/lib.rs` will be.
#[derive(Debug)]
pub(super) struct Move {
    source: PathBuf,
    modules: Vec<String>,
    main: String,
    library: String,
}

/// Whether a Rust file of the package's own derives a model.
pub(super) fn has_models(root: &Path) -> bool {
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && std::fs::read_to_string(&path).is_ok_and(|text| derives_model(&text))
            {
                return true;
            }
        }
    }
    false
}

/// Whether the text has a `#[derive(…, Model, …)]`.
fn derives_model(text: &str) -> bool {
    text.split("#[derive(").skip(1).any(|rest| {
        let list = rest.split(')').next().unwrap_or_default();
        list.split(',').any(|name| name.trim().rsplit("::").next() == Some("Model"))
    })
}

impl Move {
    /// Reads `src/main.rs` and sees what would move.
    pub(super) fn plan(root: &Path, library: &str) -> Result<Move, Error> {
        let source = root.join("src");
        let path = source.join("main.rs");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            // A package whose only programs are in src/bin.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io(path.display().to_string(), error)),
        };
        if derives_model(&text) {
            return Err(Error::NeedsPerson(
                "src/main.rs has models in it, and a second program cannot use what is in the first: move them into a \
                 module of their own (src/models.rs, and `mod models;` in main.rs), then run `limbeck init` again"
                    .into(),
            ));
        }
        let (modules, main, library) = split(&text, library);
        Ok(Move { source, modules, main, library })
    }

    /// Asks whether to do it; a package without modules loses nothing, so that nobody is asked.
    pub(super) fn confirm(&self, yes: bool) -> Result<(), Error> {
        if yes || self.modules.is_empty() {
            return Ok(());
        }
        let what = format!(
            "this package has no library, and its limbeck binary needs one to see the models: make src/lib.rs and move \
             the lines `mod {};` from src/main.rs there?",
            self.modules.join(";`, `mod ")
        );
        match ask(&what) {
            Some(true) => Ok(()),
            Some(false) => Err(Error::NeedsPerson("nothing was changed".into())),
            None => Err(Error::NeedsPerson(format!("{what} `limbeck init --yes` does it"))),
        }
    }

    pub(super) fn write(&self) -> Result<(), Error> {
        let put = |name: &str, text: &str| {
            let path = self.source.join(name);
            std::fs::write(&path, text).map_err(|error| Error::io(path.display().to_string(), error))
        };
        if self.source.join("lib.rs").exists() {
            return Err(in_file(
                "src/lib.rs",
                "the file is there, but cargo does not take it for the package's library",
            ));
        }
        std::fs::create_dir_all(&self.source).map_err(|error| Error::io("src", error))?;
        put("lib.rs", &self.library)?;
        if !self.modules.is_empty() {
            put("main.rs", &self.main)?;
            note(
                "the modules are in src/lib.rs now; what is `pub(crate)` in them and used by main.rs has to become `pub`",
            );
        }
        Ok(())
    }
}

/// The modules that move, the new `main.rs`, and `lib.rs`.
///
/// Lines `mod x;` move with the attributes and comments right above them. `main.rs` imports the modules under the
/// same names instead, so that its paths, `crate::x` too, lead where they led. Modules of tests stay.
fn split(main: &str, library: &str) -> (Vec<String>, String, String) {
    let mut modules = Vec::new();
    let mut kept: Vec<&str> = Vec::new();
    let mut moved: Vec<String> = Vec::new();
    let mut first = None;
    let mut depth = 0_i64;
    for line in main.lines() {
        match module(line).filter(|_| depth == 0) {
            Some(name) => {
                // What belongs to the line stands right above it.
                let mut above = Vec::new();
                while kept.last().is_some_and(|l| l.trim_start().starts_with("#[") || l.trim_start().starts_with("///"))
                {
                    above.extend(kept.pop());
                }
                if above.iter().any(|l| l.contains("cfg(test)")) {
                    kept.extend(above.into_iter().rev());
                    kept.push(line);
                    continue;
                }
                first.get_or_insert(kept.len());
                moved.extend(above.into_iter().rev().map(str::to_string));
                moved.push(format!("pub mod {name};"));
                modules.push(name.to_string());
            }
            None => {
                depth += line.matches('{').count() as i64 - line.matches('}').count() as i64;
                kept.push(line);
            }
        }
    }
    let import = match &modules[..] {
        [] => String::new(),
        [one] => format!("use {library}::{one};"),
        several => format!("use {library}::{{{}}};", several.join(", ")),
    };
    if let Some(first) = first {
        kept.insert(first, &import);
    }
    let mut new_main = kept.join("\n");
    new_main.push('\n');
    let mut new_library = String::from("//! What the programs of this package share: the models above all.\n");
    if !moved.is_empty() {
        new_library.push_str(&format!("\n{}\n", moved.join("\n")));
    }
    (modules, new_main, new_library)
}

/// The name in `mod x;`, whatever its visibility.
fn module(line: &str) -> Option<&str> {
    let mut rest = line.trim();
    if let Some(public) = rest.strip_prefix("pub") {
        rest = public.trim_start();
        if rest.starts_with('(') {
            rest = rest.split_once(')')?.1.trim_start();
        }
    }
    let name = rest.strip_prefix("mod ")?.split("//").next()?.trim().strip_suffix(';')?.trim();
    name.chars().all(|c| c == '_' || c.is_alphanumeric()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_move_with_what_is_above_them() {
        let main = "//! App.\n\nuse std::fs;\n\n/// The models.\n#[allow(dead_code)]\nmod models;\npub(crate) mod db; // x\n\n\
                    #[cfg(test)]\nmod tests;\n\nfn main() {\n    mod inner {}\n    models::go();\n}\n";
        let (modules, main, library) = split(main, "app");
        assert_eq!(modules, ["models", "db"]);
        assert_eq!(
            main,
            "//! App.\n\nuse std::fs;\n\nuse app::{models, db};\n\n#[cfg(test)]\nmod tests;\n\nfn main() {\n    mod inner \
             {}\n    models::go();\n}\n"
        );
        assert!(
            library.ends_with("\n/// The models.\n#[allow(dead_code)]\npub mod models;\npub mod db;\n"),
            "{library}"
        );
    }

    #[test]
    fn a_program_without_modules_stays_as_it_is() {
        let (modules, main, library) = split("fn main() {}\n", "app");
        assert!(modules.is_empty());
        assert_eq!(main, "fn main() {}\n");
        assert!(library.starts_with("//!") && !library.contains("mod "));
    }

    #[test]
    fn a_derive_of_model_is_seen_in_any_of_its_forms() {
        for text in ["#[derive(Model)]", "#[derive(Debug, limbeck::Model)]", "#[derive(\n    Debug,\n    Model,\n)]"] {
            assert!(derives_model(text), "{text}");
        }
        for text in ["#[derive(Debug)] struct Model;", "#[derive(ViewModel)]", "// Model"] {
            assert!(!derives_model(text), "{text}");
        }
    }
}
