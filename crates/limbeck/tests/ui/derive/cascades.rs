use limbeck::prelude::*;

#[derive(Model)]
struct Parcel {
    #[column(primary_key)]
    id: i64,
    #[column(foreign_key(Shelf.id))]
    shelf_id: i64,
    #[relationship(cascade(all, delete_orphan), order_by = title)]
    shelf: BelongsTo<Shelf>,
    #[relationship(cascade = "all, delete-orphan", secondary = "parcel_stamps", post_update)]
    stamps: ManyToMany<Stamp>,
    #[relationship(cascade(save_update, delete_orphan), single_parent)]
    notes: HasMany<Note>,
    #[relationship(cascade(all), secondary = "parcel_tags", view_only, passive_deletes = "all")]
    tags: ManyToMany<Tag>,
    #[relationship(cascade(all, none), order_by(titel, desc(created_at, title)))]
    labels: HasMany<Label>,
    #[relationship(cascade(deletes), order_by = descending(title))]
    lines: HasMany<Line>,
    #[relationship(cascade = delete, passive_deletes = "none")]
    scans: HasMany<Scan>,
    #[relationship(cascade(delete), passive_deletes = "all", order_by = id)]
    photo: HasOne<Photo>,
    #[relationship(passive_deletes, cascade = "save-update, merge the rest", key = shelf_id)]
    other: BelongsTo<Shelf>,
    #[relationship(cascade(), order_by())]
    empty: HasMany<Scan>,
}

fn main() {}
