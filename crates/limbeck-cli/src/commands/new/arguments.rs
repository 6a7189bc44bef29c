//! What can be said behind `limbeck new`.

/// The words of `limbeck new`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum New {
    /// Writes a model, src/FEATURE/models.rs, and what it needs elsewhere.
    #[command(long_about = LONG, after_help = EXAMPLES)]
    Model(NewModel),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewModel {
    /// The module that it goes into: blog, or shop/orders.
    #[arg(value_name = "FEATURE", required_unless_present = "print_template")]
    pub(super) feature: Option<String>,

    /// The struct, named after one row: BlogPost.
    #[arg(value_name = "ENTITY", required_unless_present = "print_template")]
    pub(super) entity: Option<String>,

    /// The fields, each name:type. In quotes, since shells read brackets and question marks themselves.
    #[arg(value_name = "FIELD")]
    pub(super) fields: Vec<String>,

    /// The table, instead of the plural of the struct's name.
    #[arg(long, value_name = "NAME")]
    pub(super) table: Option<String>,

    /// Leaves created_at and updated_at out.
    #[arg(long)]
    pub(super) no_timestamps: bool,

    /// Shows what it would write, as a patch, and writes nothing.
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Prints the template that is built in, to begin your own templates/model.rs with.
    #[arg(long, conflicts_with_all = ["feature", "dry_run"])]
    pub(super) print_template: bool,
}

const LONG: &str = "\
Writes a model, src/FEATURE/models.rs, declares the modules that lead there, and adds the other side of
its relationships to the models that are there already. Nothing is overwritten, and nothing else in a
file moves.

A field is name:type, with `?` behind the type where it may be NULL, and then what else there is to say:

  text       string, string(100), text
  numbers    int, bigint, smallint, float, real, numeric(10,2)
  times      datetime (a moment, in UTC), naive_datetime, date, time, interval
  others     bool, uuid, json, bytes, enum(draft,published)
  arrays     string[], int[] and so on; not of text, of json, and of what has brackets
  relations  belongs_to(User), has_many(Comment), has_one(Profile), many_to_many(Tag)

  :unique  :index
  :default=VALUE           made by the program: a value, `now` for a time, `new` for a uuid
  :server_default=SQL      made by the database
  :on_delete=ACTION        of a foreign key: cascade, restrict, set_null, no_action
  :back_populates=NAME     the field at the other side; `none` leaves that out
  :secondary=NAME          the association table of a many_to_many

A belongs_to that is unique is one-to-one. The key `id: i64`, created_at and updated_at are there by
themselves; a field that is called so takes their place (id:uuid).";

const EXAMPLES: &str = "\
\x1b[1m\x1b[4mExamples:\x1b[0m
  limbeck new model blog Post \"title:string(100)\" body:text \"author:belongs_to(User)\"
  limbeck new model shop/orders Order \"total:numeric(10,2)\" \"status:enum(open,paid):default=open\" --dry-run
  limbeck new model tags Tag name:string:unique \"posts:many_to_many(Post)\"
  limbeck new model --print-template";
