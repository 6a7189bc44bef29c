/// What `limbeck doctor` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// How many instances of the program run at a time: each has a pool of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) instances: u32,

    /// Does not build the project, and so does not compare its models with the database.
    #[arg(long)]
    pub(crate) without_models: bool,
}
