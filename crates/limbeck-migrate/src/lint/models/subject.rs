//! What a rule is asked about, and what it answers.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

use limbeck::model::{ColumnDef, ModelDef};
use limbeck::schema::{Metadata, Table, TableName};

use super::allow::Allowed;
use super::edit::Edit;
use super::queries::{QueryLog, Unserved};
use super::rule::Rule;
use super::source::{Field, Opt, SourceFile, Struct, options};
use crate::lint::Severity;

/// What a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How strictly it is meant here.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The model's path: `shop::models::User`.
    pub model: String,
    /// Its table.
    pub table: String,
    /// The field that it is about, if it is one.
    pub field: Option<String>,
    /// The attribute in which it can be allowed: `model`, at the struct, or `column` or `relationship`, at the field.
    pub allowed_in: &'static str,
    /// Where it is.
    pub location: Location,
    /// What `--fix` would do; nothing where a person has to.
    pub edits: Vec<Edit>,
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file as the compiler names it.
    pub file: String,
    /// The line, from 1 on.
    pub line: usize,
    /// The column, in characters from 1 on.
    pub column: usize,
    /// Where the file is, if it can be read.
    pub path: Option<PathBuf>,
    /// What is meant, in bytes; nothing where only the line is known.
    pub span: Option<(usize, usize)>,
}

/// Where in a model something is.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    field: Option<String>,
    range: Option<Range<usize>>,
}

/// All models together.
pub(super) struct Schema<'a> {
    pub(super) models: &'a [&'static ModelDef],
    files: &'a [Option<Rc<SourceFile>>],
    by_name: HashMap<TableName, &'a Table>,
    /// The association tables of `secondary`.
    associations: BTreeSet<&'static str>,
    /// What a log of statements shows, by table.
    pub(super) unserved: Option<HashMap<TableName, Vec<Unserved>>>,
}

impl<'a> Schema<'a> {
    pub(super) fn new(
        models: &'a [&'static ModelDef],
        files: &'a [Option<Rc<SourceFile>>],
        metadata: &'a Metadata,
        queries: Option<&QueryLog>,
    ) -> Self {
        let relations = models.iter().flat_map(|model| model.relations);
        Schema {
            models,
            files,
            by_name: metadata.tables.iter().map(|table| (table.full_name(), table)).collect(),
            associations: relations.filter_map(|relation| relation.secondary).collect(),
            unserved: queries.map(|log| log.unserved(metadata)),
        }
    }

    pub(super) fn has_queries(&self) -> bool {
        self.unserved.is_some()
    }

    pub(super) fn table(&self, name: &TableName) -> Option<&'a Table> {
        self.by_name.get(name).copied()
    }

    /// The source of a struct that models embed, by its name, if it is in a file with models.
    pub(super) fn embedded(&self, name: &str) -> Option<&'a Struct> {
        let structs = self.files.iter().flatten().flat_map(|file| &file.structs);
        structs.into_iter().find(|found| found.name == name)
    }
}

/// A model, and all that is known of it.
pub(super) struct Subject<'a> {
    pub(super) model: &'static ModelDef,
    pub(super) table: &'a Table,
    pub(super) schema: &'a Schema<'a>,
    pub(super) source: Option<Source<'a>>,
}

/// A model as it is written.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) model: &'a Struct,
}

impl<'a> Subject<'a> {
    /// `None` where the metadata is not that of the model.
    pub(super) fn new(model: &'static ModelDef, schema: &'a Schema<'a>, file: Option<&'a SourceFile>) -> Option<Self> {
        let table = schema.table(&model.table_name())?;
        let source = file.and_then(|file| Some(Source { file, model: file.model(model)? }));
        Some(Subject { model, table, schema, source })
    }

    /// The columns with their positions.
    pub(super) fn columns(&self) -> impl Iterator<Item = (usize, &'static ColumnDef)> + use<> {
        self.model.columns.iter().enumerate()
    }

    pub(super) fn column(&self, column: usize) -> &'static ColumnDef {
        &self.model.columns[column]
    }

    /// `User.email`
    pub(super) fn label(&self, column: usize) -> String {
        format!("{}.{}", self.model.name, self.column(column).field)
    }

    /// The fields' names of columns: `` `a`, `b` ``.
    pub(super) fn fields(&self, columns: &[usize]) -> String {
        columns.iter().map(|&column| format!("`{}`", self.column(column).field)).collect::<Vec<_>>().join(", ")
    }

    /// The model's own field of a column, in the source: not for those of embedded structs.
    pub(super) fn own_field(&self, column: usize) -> Option<&'a Field> {
        self.source.and_then(|source| source.model.field(self.column(column).field))
    }

    /// The field of a column where it is written, be it in an embedded struct. `None` also where that is not known.
    pub(super) fn written(&self, column: usize) -> Option<&'a Field> {
        let path = self.column(column).field;
        let mut parts = path.split('.');
        let mut field = self.source?.model.field(parts.next()?)?;
        for part in parts {
            field = self.schema.embedded(&field.type_name)?.field(part)?;
        }
        Some(field)
    }

    /// The options of the struct, of a name, in order.
    pub(super) fn model_options(&self, name: &str) -> Vec<&'a Opt> {
        let Some(source) = self.source else { return Vec::new() };
        options(&source.model.attributes, "model").filter(|option| option.name == name).collect()
    }

    /// Whether the table is there to associate others: rows of it are links.
    pub(super) fn is_association(&self) -> bool {
        let key = self.model.primary_key;
        let refers = |column: &usize| {
            self.column(*column).foreign_key.is_some()
                || self.model.foreign_keys.iter().any(|key| key.columns.contains(column))
        };
        self.schema.associations.contains(self.model.table) || (key.len() > 1 && key.iter().all(refers))
    }

    /// The struct.
    pub(super) fn at_model(&self) -> Place {
        Place { field: None, range: self.source.map(|source| source.model.ident.clone()) }
    }

    /// The field of a column; for one of an embedded struct, the field of that.
    pub(super) fn at(&self, column: usize) -> Place {
        self.at_field(self.column(column).field)
    }

    /// A field.
    pub(super) fn at_field(&self, name: &str) -> Place {
        let name = name.split('.').next().unwrap_or(name);
        let field = self.source.and_then(|source| source.model.field(name));
        match field {
            Some(field) => Place { field: Some(name.to_string()), range: Some(field.ident.clone()) },
            None => Place { field: Some(name.to_string()), ..self.at_model() },
        }
    }

    /// An option, of a field or of the struct; the field or struct where its source is not known.
    pub(super) fn at_option(&self, option: Option<&Opt>, otherwise: Place) -> Place {
        match option {
            Some(option) => Place { range: Some(option.range.clone()), ..otherwise },
            None => otherwise,
        }
    }

    /// A part of the source.
    pub(super) fn at_range(&self, range: Range<usize>, field: Option<&str>) -> Place {
        Place { field: field.map(str::to_string), range: Some(range) }
    }
}

/// What one rule answers for one model.
pub(super) struct Findings<'f> {
    subject: &'f Subject<'f>,
    rule: &'static Rule,
    severity: Severity,
    allowed: &'f Allowed<'f>,
    asked: &'f dyn Fn(&Rule) -> bool,
    pub(super) found: Vec<Finding>,
}

impl<'f> Findings<'f> {
    pub(super) fn new(
        subject: &'f Subject<'f>,
        rule: &'static Rule,
        severity: Severity,
        allowed: &'f Allowed<'f>,
        asked: &'f dyn Fn(&Rule) -> bool,
    ) -> Self {
        Findings { subject, rule, severity, allowed, asked, found: Vec::new() }
    }

    /// What the model allows.
    pub(super) fn allowed(&self) -> &'f Allowed<'f> {
        self.allowed
    }

    /// Whether a rule was asked of this model.
    pub(super) fn was_asked(&self, rule: &Rule) -> bool {
        (self.asked)(rule)
    }

    /// Something that a person has to see to.
    pub(super) fn add(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.add_fixable(place, message, help, Vec::new());
    }

    /// Something with a mechanical fix, unless there are no edits.
    pub(super) fn add_fixable(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
        edits: Vec<Edit>,
    ) {
        if self.allowed.hides(self.rule.code, place.field.as_deref()) {
            return;
        }
        let model = self.subject.model;
        let (file, line) = model.location;
        let mut location = Location { file: file.to_string(), line: line as usize, column: 1, path: None, span: None };
        if let Some(source) = self.subject.source {
            location.path = Some(source.file.path.clone());
            if let Some(range) = place.range {
                (location.line, location.column) = source.file.line_column(range.start);
                location.span = Some((range.start, range.end));
            }
        }
        self.found.push(Finding {
            rule: self.rule,
            severity: self.severity,
            message: message.into(),
            help: help.into(),
            model: model.path(),
            table: model.table_name().to_string(),
            allowed_in: attribute(model, place.field.as_deref()),
            field: place.field,
            location,
            edits,
        });
    }
}

/// Where something about a field can be allowed. An embedded struct has no place for it.
fn attribute(model: &ModelDef, field: Option<&str>) -> &'static str {
    match field {
        Some(field) if model.column_of_field(field).is_some() => "column",
        Some(field) if model.relation_of_field(field).is_some() => "relationship",
        _ => "model",
    }
}
