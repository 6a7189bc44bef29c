use limbeck::prelude::*;

#[derive(Model)]
struct Post {
    id: i64,
    #[column(length = 0)]
    title: String,
    #[column(text, length = 10)]
    body: String,
    #[column(default = 1, server_default = "1")]
    version: i32,
    #[column(foreign_key(User.id, on_delete = set_null))]
    author_id: i64,
    #[relationship]
    author: BelongsTo<Option<User>>,
    #[relationship]
    editor: BelongsTo<Editor>,
    #[relationship(secondary = "post_notes")]
    notes: HasMany<Note>,
    #[relationship]
    tags: ManyToMany<Tag>,
    links: HasMany<Link>,
    #[relationship]
    summary: String,
    #[column(name = "body")]
    content: String,
}

fn main() {}
