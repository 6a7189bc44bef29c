//! Models for what examples of rules do not show.

use std::collections::BTreeMap;

use limbeck_migrate::lint::{Override, Severity};

use crate::support::{everywhere, lint, only, shown, with};

mod clean {
    use limbeck::model::Timestamps;
    use limbeck::prelude::*;

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub enum OrderStatus {
        Open,
        Paid,
    }

    #[derive(Model)]
    pub struct Customer {
        #[column(primary_key)]
        pub id: i64,
        #[column(unique, length = 254)]
        pub email: String,
        pub full_name: Option<String>,
        #[model(embed)]
        pub timestamps: Timestamps,
        #[relationship(back_populates = customer)]
        pub orders: HasMany<Order>,
        #[relationship(secondary = "customer_groups", back_populates = customers)]
        pub groups: ManyToMany<Group>,
    }

    #[derive(Model)]
    #[model(index(customer_id, status))]
    pub struct Order {
        #[column(primary_key)]
        pub id: i64,
        #[column(foreign_key(Customer.id, on_delete = restrict), index = false)]
        pub customer_id: i64,
        pub status: OrderStatus,
        #[column(numeric(12, 2))]
        pub total: Decimal,
        #[model(embed)]
        pub timestamps: Timestamps,
        #[relationship(back_populates = orders)]
        pub customer: BelongsTo<Customer>,
        #[relationship(back_populates = order)]
        pub lines: HasMany<OrderLine>,
    }

    /// A key of keys: a link with a number.
    #[derive(Model)]
    pub struct OrderLine {
        #[column(primary_key, foreign_key(Order.id, on_delete = cascade))]
        pub order_id: i64,
        #[column(primary_key)]
        pub line_no: i32,
        pub quantity: i32,
        #[model(embed)]
        pub timestamps: Timestamps,
        #[relationship(back_populates = lines)]
        pub order: BelongsTo<Order>,
    }

    #[derive(Model)]
    pub struct Group {
        #[column(primary_key)]
        pub id: i64,
        #[column(length = 50)]
        pub name: String,
        #[model(embed)]
        pub timestamps: Timestamps,
        #[relationship(secondary = "customer_groups", back_populates = groups)]
        pub customers: ManyToMany<Customer>,
    }
}

#[test]
fn careful_models_are_clean() {
    let report = lint("models::clean", &everywhere());
    assert_eq!(shown(&report.findings), [""; 0]);
    assert_eq!((report.checked, report.unread.len()), (4, 0));
}

mod links {
    use limbeck::prelude::*;

    #[derive(Model)]
    pub struct Author {
        #[column(primary_key)]
        pub id: i64,
    }

    /// Associates, so it needs no times.
    #[derive(Model)]
    pub struct Friendship {
        #[column(primary_key, foreign_key(Author.id, on_delete = cascade))]
        pub author_id: i64,
        #[column(primary_key, foreign_key(Author.id, on_delete = cascade))]
        pub friend_id: i64,
    }
}

#[test]
fn an_association_needs_no_timestamps() {
    let report = lint("models::links", &everywhere());
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.table.as_str()).collect();
    assert_eq!(found, ["authors"], "{:?}", shown(&report.findings));
}

mod allowed {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(table = "people", allow(L001, L008, reason = "imported as it is"))]
    pub struct People {
        #[column(primary_key)]
        pub id: i64,
        #[column(allow(L011, reason = "a statistic"))]
        pub total: f64,
        pub cost: f64,
        #[column(allow(L007, reason = "nothing to allow"))]
        pub name: Option<String>,
    }
}

#[test]
fn what_is_allowed_at_a_field_is_allowed_there_alone() {
    let report = lint("models::allowed", &everywhere());
    let found: Vec<(&str, Option<&str>)> =
        report.findings.iter().map(|finding| (finding.rule.code, finding.field.as_deref())).collect();
    assert_eq!(found, [("L011", Some("cost")), ("L901", Some("name"))], "{:?}", shown(&report.findings));
    assert!(report.findings.iter().all(|finding| finding.allowed_in == "column"));
    // A rule that is off was not asked, so its `allow` is not useless.
    let report = lint("models::allowed", &with(&[("L007", Severity::Off), ("L011", Severity::Off)]));
    assert_eq!(shown(&report.findings), [""; 0]);
}

#[test]
fn overrides_are_for_paths() {
    let said =
        |path: &str, severity| Override { paths: vec![path.into()], rules: BTreeMap::from([("L001", severity)]) };
    let mut policy = only("L001");
    policy.overrides = vec![said("tests/**", Severity::Error)];
    // Of the file's two paths, the one in the package is meant, too.
    let report = lint("models::wide", &policy);
    assert_eq!(report.findings.len(), 1, "{:?}", shown(&report.findings));
    assert_eq!(report.findings[0].severity, Severity::Error);
    policy.overrides.push(said("**/lint/models.rs", Severity::Off));
    assert_eq!(lint("models::wide", &policy).findings.len(), 0);
    policy.paths = vec!["src/**".into()];
    let report = lint("models::wide", &policy);
    assert_eq!(report.checked, 0);
    assert_eq!(report.left_out.values().sum::<usize>(), 1);
}

mod wide {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(
        table = "users",
        index(org_id, name desc),
        index(org_id),
        index(name),
        unique(org_id, name),
        unique(name, org_id),
    )]
    pub struct Users {
        #[column(primary_key)]
        pub id: i64,
        pub org_id: i64,
        #[column(length = 10)]
        pub name: String,
        #[column(index(method = "hash"), length = 20)]
        pub token: String,
        #[column(unique(name = "uq_of_slug"), index, length = 20)]
        pub slug: String,
    }
}

#[test]
fn indexes_are_compared_with_all_others() {
    let report = lint("models::wide", &only("L018"));
    let messages: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    // `index(name)` is the beginning of `unique(name, org_id)`; the descending one is no beginning of anything.
    assert_eq!(
        messages,
        [
            "the index of `org_id` serves nothing that the unique constraint of `org_id`, `name` does not",
            "the index of `name` serves nothing that the unique constraint of `name`, `org_id` does not",
            "the index of `slug` serves nothing that the unique constraint of `slug` does not",
        ]
    );
    let report = lint("models::wide", &only("L019"));
    let messages: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages, ["that `name`, `org_id` are unique follows from the unique constraint of `org_id`, `name`"]);
}

mod keys {
    use limbeck::prelude::*;

    #[derive(Model)]
    #[model(unique(org_id, id))]
    pub struct Team {
        #[column(primary_key)]
        pub id: i64,
        pub org_id: i64,
    }

    #[derive(Model)]
    #[model(
        foreign_key((org_id, team_id), Team(org_id, id)),
        foreign_key((org_id, other_id), Team(org_id, id), index = false, on_delete = no_action)
    )]
    pub struct Member {
        #[column(primary_key)]
        pub id: i64,
        pub org_id: i64,
        pub team_id: i64,
        pub other_id: i64,
        #[column(foreign_key(Member.id, on_delete = cascade))]
        pub chief_id: i64,
    }
}

#[test]
fn keys_of_several_columns_are_checked_like_those_of_one() {
    let found = |code| shown(&lint("models::keys", &only(code)).findings);
    let messages = |code| -> Vec<String> {
        found(code).into_iter().map(|text| text.split_once(' ').unwrap().1.to_string()).collect()
    };
    assert_eq!(messages("L003"), ["the foreign key `org_id`, `other_id` of `Member` has no index"]);
    assert_eq!(messages("L014"), ["it is not said what becomes of a `Member` whose `Team` is deleted"]);
    // The unique contains the key, but the foreign keys refer to it.
    assert_eq!(messages("L019"), [""; 0]);
    assert_eq!(
        messages("L015"),
        ["each row of `members` needs another one: `chief_id` refers to its own table and cannot be NULL"]
    );
}

mod made {
    macro_rules! model {
        ($name:ident) => {
            #[derive(limbeck::prelude::Model)]
            pub struct $name {
                #[column(primary_key)]
                pub id: i64,
                pub price: f64,
            }
        };
    }
    model!(Articles);
}

#[test]
fn a_model_that_a_macro_wrote_has_a_line() {
    let report = lint("models::made", &everywhere());
    let source = std::fs::read_to_string(crate::support::root().join("tests/lint/models.rs")).unwrap();
    let line = source.lines().position(|line| line.trim() == "model!(Articles);").unwrap() + 1;
    assert!(report.findings.iter().all(|finding| finding.location.line == line && finding.location.span.is_none()));
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.rule.code).collect();
    assert_eq!(codes, ["L001", "L008", "L011"], "{:?}", shown(&report.findings));
    assert!(report.findings.iter().all(|finding| finding.edits.is_empty()));
    assert_eq!(report.unread.len(), 1);
}

mod elsewhere {
    use limbeck::prelude::*;

    #[derive(Embed, Clone, Debug, PartialEq)]
    pub struct Times {
        pub created_at: DateTime<Utc>,
        #[column(default = Utc::now(), on_update = Utc::now())]
        pub updated_at: DateTime<Utc>,
        pub expires_at: NaiveDateTime,
    }

    #[derive(Model)]
    pub struct Ticket {
        #[column(primary_key)]
        pub id: i64,
        #[model(embed)]
        pub times: Times,
    }
}

#[test]
fn columns_of_embedded_structs_are_found_at_the_field() {
    let report = lint("models::elsewhere", &everywhere());
    // In the field of an embedded struct nothing can be allowed.
    assert!(report.findings.iter().all(|finding| finding.allowed_in == "model"));
    let found: Vec<(&str, Option<&str>, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.rule.code, finding.field.as_deref(), finding.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("L009", Some("times"), "`Ticket.times.created_at` has no `default`: who writes a row has to think of it"),
            ("L010", Some("times"), "`Ticket.times.expires_at` is a date and time without a zone"),
        ]
    );
}
