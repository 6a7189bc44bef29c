//! `limbeck completions`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::Outcome;
use crate::args::Args;
use crate::output::{plain, result};

pub(crate) fn run(shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "limbeck", &mut script);
    let script = String::from_utf8_lossy(&script);
    result("script", script.as_ref().into());
    plain(script.trim_end());
    Ok(0)
}
