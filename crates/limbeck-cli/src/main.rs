//! The global `limbeck` command. What needs a project's models it hands to the project's own binary.

fn main() -> std::process::ExitCode {
    limbeck_cli::global()
}
