//! `limbeck heads`

use crate::Outcome;
use crate::output::{bold, line};
use crate::project::Context;

pub(crate) fn run(context: &Context) -> Outcome {
    for head in context.history()?.heads() {
        line(&format!("{} {}", bold(&head.id), head.message));
    }
    Ok(0)
}
