//! `limbeck diagram`: the models, or the tables of a database, as a picture.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use limbeck::engine::Engine;
use limbeck::schema::{Metadata, Table, TableName};
use limbeck_migrate::reflect::Schema;
use limbeck_migrate::{Embedded, Error};
use serde_json::json;

use crate::Outcome;
use crate::args::Args;
use crate::config::{nearest, read_only, shown};
use crate::diagram::graph::{Associations, Columns, Graph, around};
use crate::diagram::{dot, mermaid, svg};
use crate::output::{counted, green, line, plain, results};
use crate::project::Context;

/// What a picture is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Mermaid's `erDiagram`, which GitHub and many others draw.
    Mermaid,
    /// Graphviz.
    Dot,
    /// A file that needs nothing else.
    Svg,
}

/// What `limbeck diagram` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Diagram {
    /// The file to write; standard output otherwise.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// What to write; otherwise what FILE's extension says, and Mermaid without one.
    #[arg(long)]
    format: Option<Format>,

    /// The columns to show.
    #[arg(long, default_value = "all")]
    columns: Columns,

    /// Tables that only tie two others together: as lines between those, or as tables.
    #[arg(long, default_value = "edges")]
    associations: Associations,

    /// These tables alone.
    #[arg(long, value_name = "TABLE,…", value_delimiter = ',')]
    only: Vec<String>,

    /// This table, and those that keys tie to it.
    #[arg(long, value_name = "TABLE", conflicts_with = "only")]
    around: Option<String>,

    /// How many keys away from it.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "around")]
    depth: usize,

    /// Other schemas of a PostgreSQL database, beside the current one. With --url.
    #[arg(long = "schema", value_name = "SCHEMA,…", value_delimiter = ',', requires = "url")]
    schemas: Vec<String>,
}

pub(crate) async fn run(args: &Args, diagram: &Diagram, embedded: Option<Embedded>) -> Outcome {
    let format = format(diagram)?;
    let metadata = match &args.url {
        // A database that is named is drawn as it is, with or without a project.
        Some(url) => reflected(url, &diagram.schemas, args.verbose).await?,
        None => {
            let context = Context::find(args, embedded)?;
            if !context.has_models() {
                return context.run_project_binary();
            }
            Metadata::registered()?
        }
    };
    let tables: Vec<&Table> = metadata.tables.iter().collect();
    let tables = chosen(diagram, tables)?;
    let graph = Graph::new(&tables, diagram.columns, diagram.associations);
    let text = match format {
        Format::Mermaid => mermaid::write(&graph),
        Format::Dot => dot::write(&graph),
        Format::Svg => svg::write(&graph),
    };
    let names: Vec<String> = tables.iter().map(|table| table.full_name().to_string()).collect();
    match &diagram.output {
        Some(file) => {
            std::fs::write(file, &text).map_err(|error| Error::io(file.display().to_string(), error))?;
            results(json!({ "tables": names, "file": shown(file), "text": null }));
            line(&format!("{} {} ({})", green("wrote"), shown(file), counted(tables.len(), "table")));
        }
        None => {
            results(json!({ "tables": names, "file": null, "text": text }));
            plain(text.trim_end());
        }
    }
    Ok(0)
}

fn format(diagram: &Diagram) -> Result<Format, Error> {
    if let Some(format) = diagram.format {
        return Ok(format);
    }
    let Some(file) = &diagram.output else { return Ok(Format::Mermaid) };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("mmd" | "mermaid") => Ok(Format::Mermaid),
        Some("dot" | "gv") => Ok(Format::Dot),
        Some("svg") => Ok(Format::Svg),
        _ => Err(Error::Revision(format!(
            "{}: the file's extension does not say what to write: name it .svg, .mmd or .dot, or say `--format`",
            Path::new(file).display()
        ))),
    }
}

async fn reflected(url: &str, schemas: &[String], verbose: bool) -> Result<Metadata, Error> {
    let engine = Engine::builder(read_only(url)?).echo(verbose).pool_size(1).connect().await?;
    let named: BTreeSet<TableName> = schemas.iter().map(|schema| TableName::new(Some(schema), "")).collect();
    let mut connection = engine.connect().await?;
    let schema = Schema::read_for(&mut connection, &Metadata::default(), &named).await?;
    drop(connection);
    engine.close().await;
    Ok(Metadata::new(schema.tables))
}

/// The tables that are asked for.
fn chosen<'t>(diagram: &Diagram, tables: Vec<&'t Table>) -> Result<Vec<&'t Table>, Error> {
    let find = |name: &String| -> Result<TableName, Error> {
        let found = tables.iter().map(|table| table.full_name());
        let mut exact: Vec<TableName> =
            found.filter(|table| table.to_string() == *name || table.name == *name).collect();
        exact.sort_by_key(|table| table.to_string() != *name);
        exact.into_iter().next().ok_or_else(|| {
            let known: Vec<String> = tables.iter().map(|table| table.full_name().to_string()).collect();
            let hint = nearest(name, known.iter().map(String::as_str));
            let hint = match hint {
                Some(nearest) => format!(": did you mean `{nearest}`?"),
                None => format!(": there are {}", known.join(", ")),
            };
            Error::Revision(format!("there is no table `{name}`{hint}"))
        })
    };
    if let Some(start) = &diagram.around {
        return Ok(around(&tables, &find(start)?, diagram.depth));
    }
    if diagram.only.is_empty() {
        return Ok(tables);
    }
    let only = diagram.only.iter().map(find).collect::<Result<BTreeSet<TableName>, Error>>()?;
    Ok(tables.iter().copied().filter(|table| only.contains(&table.full_name())).collect())
}
