use limbeck::prelude::*;

#[derive(Model)]
#[model(foreign_key((order_id, line_no), OrderLine(order_id, line_no)))]
struct Parcel {
    #[column(primary_key)]
    id: i64,
    order_id: i64,
    line_no: i32,
    shelf_id: i64,
    #[relationship]
    label: HasOne<Option<Label>>,
    #[relationship(secondary = "parcel_stamps")]
    stamp: HasOne<Stamp>,
    photo: HasOne<Photo>,
    #[relationship(local = "parcel")]
    notes: HasMany<Note>,
    #[relationship(secondary = "parcel_tags", view_only, key = tag_id)]
    tags: ManyToMany<Tag>,
    #[relationship(view_only)]
    shelves: HasMany<Shelf>,
    #[relationship(key = (order_id, shelf_id))]
    other: BelongsTo<OrderLine>,
    #[relationship(key = shelf_id)]
    shelf: BelongsTo<Shelf>,
    #[relationship(key = ())]
    nothing: BelongsTo<OrderLine>,
    #[relationship(key = (order_id, lien_no))]
    misspelt: BelongsTo<OrderLine>,
    #[relationship]
    line: BelongsTo<Option<OrderLine>>,
}

fn main() {}
