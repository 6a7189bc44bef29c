//! L013: relationships.

use limbeck::model::RelationKind;

use super::subject::{Findings, Subject};

/// L013
pub(super) fn one_sided(subject: &Subject<'_>, out: &mut Findings<'_>) {
    for relation in subject.model.relations {
        if relation.back_populates.is_some() || relation.view_only {
            continue;
        }
        let target = (relation.target)();
        let back = match relation.kind {
            RelationKind::BelongsTo => format!("a `HasMany<{}>`", subject.model.name),
            RelationKind::HasMany | RelationKind::HasOne => format!("a `BelongsTo<{}>`", subject.model.name),
            RelationKind::ManyToMany => format!("a `ManyToMany<{}>`", subject.model.name),
        };
        let message = format!("`{}` has no other end: `{}` knows nothing of it", relation.label, target.name);
        let help =
            format!("give `{}` {back} with `back_populates = {}`, and name that one here", target.name, relation.field);
        out.add(subject.at_field(relation.field), message, help);
    }
}
