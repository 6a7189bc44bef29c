//! `limbeck new`: what a project gets more of.

mod arguments;
mod change;
mod content;
mod default;
mod edit;
mod field;
mod imports;
mod insert;
mod model;
mod modules;
mod names;
mod project;
mod register;
mod relation;
mod render;
mod said;
mod sides;
mod source;
mod target;
mod template;
mod types;

pub(crate) use arguments::New;

use limbeck_migrate::Error;

use crate::Outcome;

/// Runs the command.
pub(crate) fn run(new: &New, package: Option<&str>) -> Outcome {
    let New::Model(model) = new;
    model::run(model, package)
}

/// What is wrong with what was said, or with the project.
fn wrong(message: impl Into<String>) -> Error {
    Error::Revision(message.into())
}
