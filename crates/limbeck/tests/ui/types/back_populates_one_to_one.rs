use limbeck::prelude::*;

#[derive(Model)]
struct User {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Profile.id))]
    profile_id: i64,
    #[relationship(back_populates = user)]
    profile: BelongsTo<Profile>,
    #[relationship(back_populates = owner)]
    accounts: HasOne<Profile>,
}

#[derive(Model)]
struct Profile {
    #[column(primary_key)]
    id: i64,
    #[column(unique, foreign_key(User.id))]
    user_id: i64,
    #[relationship(back_populates = profile)]
    user: BelongsTo<User>,
    #[relationship(back_populates = accounts)]
    owner: HasMany<User>,
}

fn main() {}
