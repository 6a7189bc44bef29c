//! `limbeck` for this project: the commands that need its models.

fn main() -> std::process::ExitCode {
    limbeck_cli::main(service::MIGRATIONS)
}
