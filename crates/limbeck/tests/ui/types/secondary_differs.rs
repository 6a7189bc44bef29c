use limbeck::prelude::*;

#[derive(Model)]
struct Tag {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = "post_tags", back_populates = tags)]
    posts: ManyToMany<Post>,
}

#[derive(Model)]
struct Post {
    #[column(primary_key)]
    id: i64,
    #[relationship(secondary = "tags_of_posts", back_populates = posts)]
    tags: ManyToMany<Tag>,
}

fn main() {}
