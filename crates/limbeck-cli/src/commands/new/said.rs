//! What was said: understood by itself, then beside the project.

use limbeck::schema::naming;
use limbeck_migrate::Error;

use super::arguments::NewModel;
use super::field::{Field, Of};
use super::modules::Crate;
use super::project::{Dates, Project};
use super::types::{Scalar, Type, Value};
use super::{names, wrong};

/// What was said, as far as it makes sense without looking at the project.
#[derive(Debug)]
pub(super) struct Said {
    /// The modules that lead to the model, without `models`.
    pub(super) feature: Vec<String>,
    pub(super) entity: String,
    pub(super) table: String,
    pub(super) fields: Vec<Field>,
    pub(super) timestamps: bool,
}

impl Said {
    /// Reads the words. All mistakes are found.
    pub(super) fn read(args: &NewModel) -> Result<Said, Error> {
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

    /// Whether a field is called so.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// What the file calls the enum of a field.
    pub(super) fn enum_name(&self, field: &Field) -> String {
        format!("{}{}", self.entity, names::as_camel_case(&field.name))
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = (&Field, &Type)> {
        self.fields.iter().filter_map(|field| match &field.of {
            Of::Column(ty) => Some((field, ty)),
            Of::Relation(..) => None,
        })
    }

    /// What the project lacks, and which names it has already.
    pub(super) fn check(&self, all: &Crate, project: &Project) -> Result<(), Error> {
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

    /// The fields that are enums, with their values.
    pub(super) fn enums(&self) -> impl Iterator<Item = (&Field, &[Value])> {
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
pub(super) fn several(errors: Vec<String>) -> Result<(), Error> {
    if errors.is_empty() { Ok(()) } else { Err(wrong(errors.join("\n"))) }
}
