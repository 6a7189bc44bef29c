//! The new file, from what was said and what the relationships make of it.

use limbeck::schema::naming;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use limbeck_migrate::Error;

use super::field::Of;
use super::modules::{self, Crate};
use super::project::Project;
use super::said::{Said, several};
use super::sides::{self, Own, Plan};
use super::source;
use super::target::Key;
use super::template::{self, Values};
use super::types::{Scalar, Type};
use super::{default, imports, render, wrong};

/// What the new file has in it, and what others get.
#[derive(Debug)]
pub(super) struct Content {
    enums: Vec<String>,
    columns: Vec<String>,
    timestamps: Vec<String>,
    /// What the relationships make of it.
    pub(super) plan: Plan,
}

impl Content {
    /// Plans the file and what others get. All mistakes are found.
    pub(super) fn plan(said: &Said, all: &Crate, project: &Project) -> Result<Content, Error> {
        let mut errors = Vec::new();
        let mut columns = Vec::new();
        if !said.has("id") {
            columns.push(vec!["#[column(primary_key)]".to_string(), "pub id: i64,".to_string()]);
        }
        let mut by_field: Vec<Option<Vec<String>>> = Vec::new();
        for field in &said.fields {
            by_field.push(match &field.of {
                Of::Column(ty) => {
                    let lines = render::column(field, ty, &said.enum_name(field), field.name == "id", project);
                    lines.map_err(|message| errors.push(message)).ok()
                }
                Of::Relation(..) => None,
            });
        }
        let own = Own {
            entity: &said.entity,
            table: &said.table,
            module: [&said.feature[..], &["models".to_string()]].concat(),
            key: own_key(said, project),
            taken: said.enums().map(|(field, _)| said.enum_name(field)).collect(),
        };
        let plan = match sides::plan(all, &own, &said.fields) {
            Ok(plan) => plan,
            Err(more) => {
                errors.extend(more);
                return Err(wrong(errors.join("\n")));
            }
        };
        for name in &plan.fields {
            if said.has(name) || (name == "id") || plan.fields.iter().filter(|other| *other == name).count() > 1 {
                errors.push(format!(
                    "the relationships make the field `{name}` of `{}`, which is there already",
                    said.entity
                ));
            }
        }
        errors.extend(taken_tables(all, &said.table, &plan));
        several(errors)?;
        // Each key stands where its relationship was said; the key of the table comes first.
        for (position, lines) in by_field.into_iter().enumerate() {
            let is_key = said.fields[position].name == "id";
            let at = if is_key { 0 } else { columns.len() };
            columns.splice(at..at, lines);
            columns.extend(plan.keys.iter().filter(|(key, _)| *key == position).map(|(_, lines)| lines.clone()));
        }
        let enums = said.enums().map(|(field, values)| {
            render::enumeration(&said.enum_name(field), &format!("{}.{}", said.entity, field.name), values)
        });
        Ok(Content {
            enums: enums.collect::<Vec<_>>().join(&String::new()),
            columns: columns.into_iter().flatten().collect(),
            timestamps: timestamps(said, project),
            plan,
        })
    }

    /// The text of the model's file.
    pub(super) fn file(&self, said: &Said, project: &Project, path: &Path) -> Result<String, Error> {
        let relationships: Vec<String> = self.plan.relationships.iter().flatten().cloned().collect();
        let fields = [&self.columns[..], &self.timestamps, &relationships].concat();
        let values = Values {
            words: vec![
                ("feature_name", said.feature.last().cloned().unwrap_or_default()),
                ("EntityName", said.entity.clone()),
                ("entity_name", naming::snake_case(&said.entity)),
                ("table_name", said.table.clone()),
            ],
            blocks: vec![
                ("imports", imports::lines(&self.plan.imports)),
                ("enums", self.enums.clone()),
                ("fields", fields),
                ("columns", self.columns.clone()),
                ("timestamps", self.timestamps.clone()),
                ("relationships", relationships),
            ],
        };
        let own = [&project.root, &project.workspace].map(|folder| folder.join(template::FILE));
        let own = own.iter().find(|file| file.is_file());
        let (shown, text) = match own {
            Some(file) => {
                let shown = source::shown(file, &project.root);
                let text = std::fs::read_to_string(file).map_err(|error| Error::io(shown.clone(), error))?;
                (shown, text)
            }
            None => ("the built-in template".to_string(), template::BUILT_IN.to_string()),
        };
        let filled = template::fill(&shown, &text, &values)?;
        source::parse(&filled, &format!("{} from {shown}", source::shown(path, &project.root)))?;
        Ok(formatted(&filled, project).unwrap_or(filled))
    }
}

/// The key of the new model, as others refer to it.
fn own_key(said: &Said, project: &Project) -> Key {
    let id = said.columns().find(|(field, _)| field.name == "id");
    let ty = id.map_or("i64".to_string(), |(_, ty)| render::rust_type(ty, "", project.dates()));
    let options = id.map(|(_, ty)| render::type_options(ty)).unwrap_or_default();
    Key { field: "id".into(), ty, import: None, options }
}

fn timestamps(said: &Said, project: &Project) -> Vec<String> {
    let Some(now) = default::now(&Scalar::DateTime, project.dates()).filter(|_| said.timestamps) else {
        return Vec::new();
    };
    let ty = render::rust_type(&Type { of: Scalar::DateTime, array: false }, "", project.dates());
    let of = [
        ("created_at", vec![format!("default = {now}")]),
        ("updated_at", vec![format!("default = {now}"), format!("on_update = {now}")]),
    ];
    let missing = of.into_iter().filter(|(name, _)| !said.has(name));
    missing.flat_map(|(name, options)| render::lines(&options, name, &ty, "pub ")).collect()
}

/// Association tables whose names are in use.
fn taken_tables(all: &Crate, table: &str, plan: &Plan) -> Vec<String> {
    let mut errors = Vec::new();
    for name in &plan.tables {
        let by_field = |item: &syn::ItemStruct| {
            item.fields
                .iter()
                .any(|field| modules::option_text(&field.attrs, "relationship", "secondary").as_ref() == Some(name))
        };
        let of = all.models().find(|model| model.table() == *name || by_field(model.item));
        let place = match of {
            Some(model) => format!("in use by `{}` in {}", model.name(), model.place()),
            None if name == table => "the new model's own".to_string(),
            None => continue,
        };
        errors.push(format!("the association table `{name}` is {place}: say another by `:secondary=NAME`"));
    }
    errors
}

/// The text as the project's rustfmt has it; `None` where there is no rustfmt.
fn formatted(text: &str, project: &Project) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", &project.edition, "--quiet", "--config-path"])
        .arg(&project.root)
        .current_dir(&project.root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let written = rustfmt.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    let output = rustfmt.wait_with_output().ok()?;
    let is_good = output.status.success() && matches!(written, Some(Ok(())));
    String::from_utf8(output.stdout).ok().filter(|text| is_good && !text.trim().is_empty())
}
