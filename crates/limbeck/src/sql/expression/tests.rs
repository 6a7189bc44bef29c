//! Expressions of one shape have one text, and what is bound is what has a placeholder, in the same order.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::dialect::Dialect;
use crate::driver::{Bind, Param};
use crate::prelude::*;
use crate::sql::node::Node;
use crate::sql::render::Renderer;
use crate::sql::shape::{Shape, ShapeKind};

#[derive(Model)]
struct Item {
    #[column(primary_key)]
    id: i64,
    name: String,
    nick: Option<String>,
    age: Option<i32>,
    sure: bool,
    size: f64,
    tags: Vec<String>,
    other: Vec<String>,
}

type Texts = BoxedStrategy<Expr<Option<String>>>;
type Numbers = BoxedStrategy<Expr<Option<i32>>>;

fn text() -> Texts {
    let leaf = prop_oneof![
        Just(Item.name.nullable()),
        Just(Item.nick.nullable()),
        prop_oneof![Just(None), Just(Some("a".to_owned())), Just(Some("%".to_owned()))].prop_map(literal),
        (0..2usize).prop_map(|at| Item.tags.item(at)),
        (0..2usize).prop_map(|at| Item.other.item(at)),
        Just(Item.age.cast::<String>()),
        Just(Item.size.cast::<String>().nullable()),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            two().prop_map(|(a, b)| a + b),
            two().prop_map(|(a, b)| a.coalesce(b)),
            two().prop_map(|(a, b)| a.replace(b, "x")),
            two().prop_map(|(a, b)| case().when(Item.sure, a).otherwise(b)),
            inner.clone().prop_map(|a| case().when(Item.sure, a).end()),
            inner.clone().prop_map(Expr::lower),
            inner.clone().prop_map(|a| a.collate("C")),
            inner.clone().prop_map(|a| a.collate("NOCASE")),
            inner.clone().prop_map(|a| func("f", (a.clone(), a))),
            inner.clone().prop_map(|a| func("g", (a.clone(), a))),
            inner.clone().prop_map(|a| a.min().into_node()).prop_map(Expr::new),
        ]
    })
    .boxed()
}

fn aggregate() -> BoxedStrategy<Expr<Option<i64>>> {
    let clauses = (any::<bool>(), prop::option::of(condition()), prop::option::of(0..4u8), prop::option::of(0..5u8));
    (number(), clauses)
        .prop_map(|(number, (distinct, filter, order, over))| {
            let mut sum = number.sum();
            if distinct {
                sum = sum.distinct();
            }
            if let Some(filter) = filter {
                sum = sum.filter(filter);
            }
            let order = order.map(|order| match order {
                0 => Item.id.asc(),
                1 => Item.id.desc(),
                2 => Item.id.asc().nulls_last(),
                _ => Item.id.desc().nulls_first(),
            });
            match (over, order) {
                (None, None) => Expr::new(sum.into_node()),
                (None, Some(order)) => Expr::new(sum.order_by(order).into_node()),
                (Some(0), _) => sum.over(window()),
                (Some(1), Some(order)) => sum.over(window().order_by(order)),
                (Some(2), _) => sum.over(window().partition_by((Item.name, Item.age))),
                (Some(3), order) => sum.over(window().order_by(order.unwrap_or(Item.age.asc())).rows_between(-1..)),
                (Some(_), _) => sum.over(window().order_by(Item.age).range_between(..=1)),
            }
        })
        .boxed()
}

fn number() -> Numbers {
    let leaf = prop_oneof![
        Just(Item.age.nullable()),
        prop::option::of(0..2i32).prop_map(literal),
        Just(Item.tags.len().nullable()),
        Just(Item.id.cast::<i32>().nullable()),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            two().prop_map(|(a, b)| a + b),
            two().prop_map(|(a, b)| a - b),
            two().prop_map(|(a, b)| a * b),
            two().prop_map(|(a, b)| a.greatest(b)),
            inner.clone().prop_map(|a| -a),
            inner.clone().prop_map(|a| 1 - a),
            inner.clone().prop_map(|a| a.lag(1).over(window())),
            inner.clone().prop_map(|a| a.lead_or(1, 0).over(window())),
        ]
    })
    .boxed()
}

fn condition() -> BoxedStrategy<Expr<bool>> {
    let text = || text();
    prop_oneof![
        (text(), text()).prop_map(|(a, b)| a.contains(b)),
        (text(), text()).prop_map(|(a, b)| a.starts_with(b)),
        (text(), text()).prop_map(|(a, b)| a.is_distinct_from(b)),
        text().prop_map(|a| a.like_escape("a", '!')),
        text().prop_map(|a| Item.tags.any(a)),
        (number(), number(), number()).prop_map(|(a, b, c)| a.between(b, c)),
        (number(), any::<bool>()).prop_map(|(a, all)| if all {
            all_of([a.lt(1)])
        } else {
            any_of([a.clone().lt(1), a.gt(1)])
        }),
        Just(Item.tags.contains(vec!["a".to_owned()])),
        Just(Item.tags.overlaps(Item.other)),
    ]
    .boxed()
}

fn node() -> impl Strategy<Value = Node> {
    prop_oneof![
        text().prop_map(Expression::into_node),
        number().prop_map(Expression::into_node),
        condition().prop_map(Expression::into_node),
        aggregate().prop_map(Expression::into_node),
    ]
}

/// The text and its parameters, or why there is none.
type Rendered = Result<(String, Vec<Param>), String>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn expressions_of_one_shape_have_one_text(nodes in prop::collection::vec(node(), 64), postgres: bool) {
        let dialect = if postgres { Dialect::Postgres } else { Dialect::Sqlite };
        let mut known: HashMap<Vec<u8>, Rendered> = HashMap::new();
        for node in &nodes {
            let mut shape = Shape::new(ShapeKind::Select);
            shape.node(node, dialect);
            let mut renderer = Renderer::new(dialect);
            renderer.node(node);
            let rendered = renderer.finish().map_err(|error| error.to_string());
            if rendered.is_ok() {
                prop_assert_eq!(shape.binds.len(), renderer.params.len(), "{}", renderer.sql);
                for (bind, param) in shape.binds.iter().zip(&renderer.params) {
                    let fits = match (bind, param) {
                        (Bind::One(value), Param::One(kind)) => value.is(*kind),
                        (Bind::Many(values), Param::Many(kind)) => values.iter().all(|value| value.is(*kind)),
                        _ => false,
                    };
                    prop_assert!(fits, "{:?} for {:?} in {}", bind, param, renderer.sql);
                }
            }
            let rendered = rendered.map(|()| (renderer.sql, renderer.params));
            let first = known.entry(shape.bytes).or_insert_with(|| rendered.clone());
            prop_assert_eq!(&*first, &rendered);
        }
    }
}
