//! `limbeck new model`: everything is read, checked and planned before the first byte is written.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use limbeck_migrate::Error;

use super::arguments::NewModel;
use super::change::{self, Change};
use super::edit::{self, Edit};
use super::field::{Field, Of};
use super::modules::{self, Crate};
use super::project::{Dates, Project};
use super::register::{self, Registration};
use super::sides::{self, Own, Plan};
use super::source::{self, Source};
use super::target::Key;
use super::template::{self, Values};
use super::types::{Scalar, Type};
use super::{default, imports, names, render, wrong};
use crate::Outcome;
use crate::naming;
use crate::output::{bold, green, line, note};

pub(super) fn run(args: &NewModel, package: Option<&str>) -> Outcome {
    if args.print_template {
        line(template::BUILT_IN.trim_end());
        return Ok(0);
    }
    let said = Said::read(args)?;
    let project = Project::find(package)?;
    let all = Crate::read(&project.root_file, &project.root)?;
    let registration = register::plan(&all, &said.feature, &project.root)?;
    said.check(&all, &project)?;
    let content = Content::plan(&said, &all, &project)?;
    let file = content.file(&said, &project, &registration.file)?;
    let (changes, link) = changes(&all, &project, registration, &content, file)?;
    if args.dry_run {
        for change in &changes {
            line(change.patch().trim_end_matches('\n'));
        }
        note("this was a dry run: nothing was written");
    } else {
        change::write(&changes)?;
    }
    report(args, &said, &content.plan, &changes, link);
    Ok(0)
}

/// What was said, as far as it makes sense without looking at the project.
struct Said {
    feature: Vec<String>,
    entity: String,
    table: String,
    fields: Vec<Field>,
    timestamps: bool,
}

impl Said {
    fn read(args: &NewModel) -> Result<Said, Error> {
        let mut errors = Vec::new();
        let mut keep = |result: Result<(), String>| errors.extend(result.err());
        let feature = names::feature(args.feature.as_deref().unwrap_or_default());
        keep(feature.as_ref().map(|_| ()).map_err(Clone::clone));
        let entity = args.entity.clone().unwrap_or_default();
        let good = names::entity(&entity, args.table.as_deref());
        let is_entity = good.is_ok();
        keep(good);
        let table = args.table.clone().unwrap_or_else(|| naming::table(&entity));
        if is_entity {
            keep(names::table(&table));
        }
        let mut fields: Vec<Field> = Vec::new();
        for said in &args.fields {
            match Field::read(said) {
                Ok(field) if fields.iter().any(|known| known.name == field.name) => {
                    keep(Err(field.wrong(format!("the field `{}` is said twice", field.name))));
                }
                Ok(field) => fields.push(field),
                Err(message) => keep(Err(message)),
            }
        }
        for field in fields.iter().filter(|field| field.name == "id") {
            keep(check_key(field).map_err(|message| field.wrong(message)));
        }
        several(errors)?;
        Ok(Said { feature: feature.map_err(wrong)?, entity, table, fields, timestamps: !args.no_timestamps })
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// What the file calls the enum of a field.
    fn enum_name(&self, field: &Field) -> String {
        format!("{}{}", self.entity, names::as_camel_case(&field.name))
    }

    fn columns(&self) -> impl Iterator<Item = (&Field, &Type)> {
        self.fields.iter().filter_map(|field| match &field.of {
            Of::Column(ty) => Some((field, ty)),
            Of::Relation(..) => None,
        })
    }

    /// What the project lacks, and which names it has already.
    fn check(&self, all: &Crate, project: &Project) -> Result<(), Error> {
        let mut errors = Vec::new();
        if let Some(model) = all.models().find(|model| model.table() == self.table) {
            errors.push(format!(
                "the table `{}` is that of `{}` in {}: say another by `--table NAME`",
                self.table,
                model.name(),
                model.place()
            ));
        }
        let enums: Vec<String> = self.enums().map(|(field, _)| self.enum_name(field)).collect();
        if let Some(name) = enums.iter().find(|name| **name == self.entity) {
            errors.push(format!("the enum of a field would be called `{name}`, as the model is"));
        }
        errors.extend(self.missing(project));
        several(errors)
    }

    fn enums(&self) -> impl Iterator<Item = (&Field, &[super::types::Value])> {
        self.columns().filter_map(|(field, ty)| match &ty.of {
            Scalar::Enum(values) => Some((field, values.as_slice())),
            _ => None,
        })
    }

    /// What `Cargo.toml` lacks for the types that were said.
    fn missing(&self, project: &Project) -> Option<String> {
        let any = |is_it: fn(&Scalar) -> bool| self.columns().any(|(_, ty)| is_it(&ty.of));
        let is_dated = |of: &Scalar| {
            matches!(of, Scalar::DateTime | Scalar::NaiveDateTime | Scalar::Date | Scalar::Time | Scalar::Interval)
        };
        let dates = any(is_dated) || (self.timestamps && !(self.has("created_at") && self.has("updated_at")));
        let needs = [
            ("decimal", any(|of| matches!(of, Scalar::Numeric(_)))),
            ("json", any(|of| matches!(of, Scalar::Json))),
            ("uuid", any(|of| matches!(of, Scalar::Uuid))),
        ];
        let mut features: Vec<&str> = needs
            .iter()
            .filter(|(feature, needed)| *needed && !project.limbeck_has(feature))
            .map(|(f, _)| *f)
            .collect();
        if dates && project.dates().is_none() {
            features.push("chrono");
        }
        let mut commands = Vec::new();
        if !features.is_empty() {
            commands.push(format!("cargo add limbeck --features {}", features.join(",")));
        }
        let crates = [
            ("serde_json", any(|of| matches!(of, Scalar::Json))),
            ("jiff", dates && project.dates() == Some(Dates::Jiff)),
            ("time", dates && project.dates() == Some(Dates::Time)),
        ];
        let crates = crates.iter().filter(|(name, needed)| *needed && !project.depends_on(name));
        commands.extend(crates.map(|(name, _)| format!("cargo add {name}")));
        (!commands.is_empty()).then(|| format!("the project lacks what these types need:\n  {}", commands.join("\n  ")))
    }
}

fn check_key(field: &Field) -> Result<(), String> {
    let Of::Column(ty) = &field.of else { return Err("the key `id` is a column".into()) };
    let is_key = matches!(ty.of, Scalar::SmallInt | Scalar::Int | Scalar::BigInt | Scalar::Uuid | Scalar::String(_));
    if !is_key || ty.array {
        return Err("a key is a bigint, int, smallint, uuid or string".into());
    }
    match (field.nullable, field.unique || field.index) {
        (true, _) => Err("a key cannot be NULL".into()),
        (_, true) => Err("a key is unique, and has an index, by itself".into()),
        _ => Ok(()),
    }
}

/// One error of several, each on a line of its own.
fn several(errors: Vec<String>) -> Result<(), Error> {
    if errors.is_empty() { Ok(()) } else { Err(wrong(errors.join("\n"))) }
}

/// What the new file has in it, and what others get.
struct Content {
    enums: Vec<String>,
    columns: Vec<String>,
    timestamps: Vec<String>,
    plan: Plan,
}

impl Content {
    fn plan(said: &Said, all: &Crate, project: &Project) -> Result<Content, Error> {
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
    fn file(&self, said: &Said, project: &Project, path: &Path) -> Result<String, Error> {
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
    Key { field: "id".into(), ty, import: None }
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

/// All that is to be written, and what a person has to do for the crate to be linked.
fn changes(
    all: &Crate,
    project: &Project,
    registration: Registration,
    content: &Content,
    file: String,
) -> Result<(Vec<Change>, Option<String>), Error> {
    let new = |path: &Path, after: String| Change {
        path: path.to_path_buf(),
        shown: source::shown(path, &project.root),
        before: None,
        after,
    };
    let mut changes = vec![new(&registration.file, file)];
    changes.extend(registration.new.iter().map(|(path, text)| new(path, text.clone())));
    let edits: Vec<&(usize, Edit)> = registration.edits.iter().chain(&content.plan.edits).collect();
    for (i, source) in all.sources.iter().enumerate() {
        let own: Vec<Edit> = edits.iter().filter(|(of, _)| *of == i).map(|(_, edit)| edit.clone()).collect();
        if !own.is_empty() {
            changes.push(edited(source, &own)?);
        }
    }
    for (source, edit) in &registration.found {
        changes.push(edited(source, std::slice::from_ref(edit))?);
    }
    match project.link() {
        Ok(None) => Ok((changes, None)),
        Ok(Some((source, edit))) => {
            changes.push(edited(&source, &[edit])?);
            Ok((changes, None))
        }
        Err(todo) => Ok((changes, Some(todo))),
    }
}

fn edited(source: &Source, edits: &[Edit]) -> Result<Change, Error> {
    let after = edit::apply(&source.text, edits);
    // What was edited still is Rust, or is not written.
    source::parse(&after, &source.shown)
        .map_err(|error| wrong(format!("{} cannot be edited safely, so nothing was written: {error}", source.shown)))?;
    Ok(Change { path: source.path.clone(), shown: source.shown.clone(), before: Some(source.text.clone()), after })
}

fn report(args: &NewModel, said: &Said, plan: &Plan, changes: &[Change], link: Option<String>) {
    let (wrote, edited) = if args.dry_run { ("would write", "would edit") } else { ("wrote", "edited") };
    if !args.dry_run {
        for change in changes {
            let word = if change.before.is_some() { edited } else { wrote };
            line(&format!("{} {}", green(word), change.shown));
        }
        for added in &plan.added {
            line(&format!("{} {added}", green("added to")));
        }
    }
    for decided in &plan.decided {
        note(decided);
    }
    if let Some(todo) = &link {
        note(todo);
    }
    if !args.dry_run {
        let feature = said.feature.last().cloned().unwrap_or_default();
        line("next, when you have looked at it:");
        line(&format!("  {}", bold(&format!("limbeck revision --autogenerate -m \"Add {feature} table\""))));
        line(&format!("  {}", bold("limbeck upgrade head")));
    }
}
