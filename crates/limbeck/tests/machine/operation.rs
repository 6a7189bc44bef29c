//! What a program may do, how often, and how it is drawn.

use proptest::prelude::*;

/// One operation. What it is done to is chosen by numbers among what there is when it is its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    AddPerson,
    AddProfile,
    AddPassport,
    AddTask,
    AddByKey,
    AddTag,
    AddRoom,
    AddPin,
    AddBadge,
    AddDoc,
    AddPage,
    AddCover,
    AddMark,
    AddAgain,
    AddOrphanAgain,
    Set,
    SetAndRevert,
    SetByHandle,
    SwapValues,
    TakeValue,
    DeleteAndAddSameValue,
    Clash,
    Link,
    Unlink,
    Assign,
    LinkTag,
    UnlinkTag,
    Reparent,
    SetKey,
    SwapOnes,
    ReplaceOne,
    Orphan,
    Replace,
    Delete,
    DeleteWithAll,
    Undelete,
    ChangeKey,
    Expire,
    ExpireAll,
    Expunge,
    ExpungeAll,
    Refresh,
    Fresh,
    Get,
    Query,
    QueryEager,
    Load,
    LoadMany,
    Count,
    Compute,
    UpdateMany,
    DeleteMany,
    Merge,
    MergeNew,
    Stale,
    RowGone,
    Flush,
    Commit,
    Rollback,
    Begin,
    Release,
    RollbackTo,
    DropSavepoint,
}

use What::*;

/// Each with its weight.
pub const ALL: &[(What, u32)] = &[
    (AddPerson, 5),
    (AddProfile, 3),
    (AddPassport, 4),
    (AddTask, 5),
    (AddByKey, 4),
    (AddTag, 2),
    (AddRoom, 5),
    (AddPin, 2),
    (AddBadge, 5),
    (AddAgain, 14),
    (Set, 4),
    (SetAndRevert, 6),
    (SetByHandle, 4),
    (SwapValues, 6),
    (TakeValue, 6),
    (DeleteAndAddSameValue, 9),
    (Clash, 7),
    (Link, 8),
    (Unlink, 9),
    (Assign, 5),
    (LinkTag, 6),
    (UnlinkTag, 6),
    (Reparent, 5),
    (SetKey, 4),
    (SwapOnes, 12),
    (ReplaceOne, 7),
    (Delete, 6),
    (Undelete, 5),
    (ChangeKey, 9),
    (Expire, 5),
    (ExpireAll, 3),
    (Expunge, 5),
    (ExpungeAll, 3),
    (Refresh, 5),
    (Fresh, 4),
    (Get, 4),
    (Query, 4),
    (QueryEager, 4),
    (Load, 6),
    (LoadMany, 5),
    (Count, 3),
    (AddDoc, 7),
    (AddPage, 7),
    (AddCover, 4),
    (AddMark, 5),
    (AddOrphanAgain, 9),
    (Orphan, 8),
    (Replace, 6),
    (DeleteWithAll, 7),
    (Compute, 6),
    (UpdateMany, 6),
    (DeleteMany, 7),
    (Merge, 6),
    (MergeNew, 5),
    (Stale, 7),
    (RowGone, 7),
    (Flush, 6),
    (Commit, 4),
    (Rollback, 3),
    (Begin, 9),
    (Release, 12),
    (RollbackTo, 10),
    (DropSavepoint, 12),
];

/// An operation and what it is done to.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    pub what: What,
    pub n: [u16; 4],
}

pub fn operation() -> impl Strategy<Value = Operation> {
    let kinds = prop::strategy::Union::new_weighted(ALL.iter().map(|(what, weight)| (*weight, Just(*what))).collect());
    (kinds, prop::array::uniform4(0..1000u16)).prop_map(|(what, n)| Operation { what, n })
}

/// A program, and how its session behaves: `autoflush`, `expire_on_commit`.
#[derive(Clone, Debug)]
pub struct Program {
    pub autoflush: bool,
    pub expire_on_commit: bool,
    pub operations: Vec<Operation>,
}

pub fn program(length: std::ops::Range<usize>) -> impl Strategy<Value = Program> {
    let operations = prop::collection::vec(operation(), length);
    (any::<bool>(), prop::bool::weighted(0.25), operations)
        .prop_map(|(autoflush, expire_on_commit, operations)| Program { autoflush, expire_on_commit, operations })
}
