//! The generated code is quiet in a crate that allows nothing, and asks for no use of what it makes.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unsafe_code, dead_code)]
#![deny(rust_2018_idioms, unused_qualifications, single_use_lifetimes, let_underscore_drop, unnameable_types)]
#![deny(explicit_outlives_requirements, trivial_casts, unused_lifetimes, variant_size_differences)]

mod shop {
    use limbeck::prelude::*;

    /// A user.
    #[derive(Debug, Model)]
    pub(crate) struct User {
        /// Its key.
        #[column(primary_key)]
        pub(crate) id: i64,
        /// Its name.
        pub(crate) name: String,
        /// When it was changed.
        #[column(default = Utc::now(), on_update = Utc::now())]
        pub(crate) updated_at: DateTime<Utc>,
        /// What it wrote.
        #[relationship(back_populates = author)]
        pub(crate) posts: HasMany<Post>,
    }

    /// A post.
    #[derive(Debug, Model)]
    pub(crate) struct Post {
        /// Its key.
        #[column(primary_key)]
        pub(crate) id: i64,
        /// Its author's key.
        #[column(foreign_key(User.id))]
        pub(crate) author_id: i64,
        /// Its author.
        #[relationship(back_populates = posts)]
        pub(crate) author: BelongsTo<User>,
    }
}

use limbeck::model::Model;

fn main() {
    println!("{} {}", shop::User::def().table, shop::Post::def().table);
}
