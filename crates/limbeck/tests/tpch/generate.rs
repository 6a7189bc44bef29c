//! The data: what TPC-H's `dbgen` makes, by a generator of our own.
//!
//! The distributions are those of the specification, as far as the queries can see them: the keys and who refers to
//! whom, dates and what follows from them, prices, the words in names and types. The values differ.

use limbeck::prelude::*;

use crate::models::*;
use crate::random::Random;

/// How many rows each table has: a hundredth of TPC-H's scale factor 1, which is about 10 MB of text.
const SUPPLIERS: i32 = 100;
const PARTS: i32 = 2_000;
const CUSTOMERS: i32 = 1_500;
const ORDERS: i32 = 15_000;

const REGIONS: [&str; 5] = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"];

/// The nations, and the position of each one's region.
const NATIONS: [(&str, i32); 25] = [
    ("ALGERIA", 0),
    ("ARGENTINA", 1),
    ("BRAZIL", 1),
    ("CANADA", 1),
    ("EGYPT", 4),
    ("ETHIOPIA", 0),
    ("FRANCE", 3),
    ("GERMANY", 3),
    ("INDIA", 2),
    ("INDONESIA", 2),
    ("IRAN", 4),
    ("IRAQ", 4),
    ("JAPAN", 2),
    ("JORDAN", 4),
    ("KENYA", 0),
    ("MOROCCO", 0),
    ("MOZAMBIQUE", 0),
    ("PERU", 1),
    ("CHINA", 2),
    ("ROMANIA", 3),
    ("SAUDI ARABIA", 4),
    ("VIETNAM", 2),
    ("RUSSIA", 3),
    ("UNITED KINGDOM", 3),
    ("UNITED STATES", 1),
];

#[rustfmt::skip]
const COLORS: &[&str] = &[
    "almond", "antique", "aquamarine", "azure", "beige", "bisque", "black", "blanched", "blue", "blush", "brown",
    "burlywood", "burnished", "chartreuse", "chiffon", "chocolate", "coral", "cornflower", "cornsilk", "cream",
    "cyan", "dark", "deep", "dim", "dodger", "drab", "firebrick", "floral", "forest", "frosted", "gainsboro", "ghost",
    "goldenrod", "green", "grey", "honeydew", "hot", "indian", "ivory", "khaki", "lace", "lavender", "lawn", "lemon",
    "light", "lime", "linen", "magenta", "maroon", "medium", "metallic", "midnight", "mint", "misty", "moccasin",
    "navajo", "navy", "olive", "orange", "orchid", "pale", "papaya", "peach", "peru", "pink", "plum", "powder",
    "puff", "purple", "red", "rose", "rosy", "royal", "saddle", "salmon", "sandy", "seashell", "sienna", "sky",
    "slate", "smoke", "snow", "spring", "steel", "tan", "thistle", "tomato", "turquoise", "violet", "wheat", "white",
    "yellow",
];

const TYPES: [&[&str]; 3] = [
    &["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
    &["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"],
    &["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"],
];
const CONTAINERS: [&[&str]; 2] =
    [&["SM", "LG", "MED", "JUMBO", "WRAP"], &["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"]];
const SEGMENTS: &[&str] = &["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"];
const PRIORITIES: &[&str] = &["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"];
const INSTRUCTIONS: &[&str] = &["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
const MODES: &[&str] = &["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];

/// A day of the calendar.
pub fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// The four suppliers of a part.
fn supplier_of(part: i32, which: i32) -> i32 {
    (part + which * (SUPPLIERS / 4 + (part - 1) / SUPPLIERS)) % SUPPLIERS + 1
}

fn retail_price(part: i32) -> Decimal {
    Decimal::new(i64::from(90_000 + (part / 10) % 20_001 + 100 * (part % 1_000)), 2)
}

pub fn regions() -> Vec<Region> {
    let mut random = Random::of("region");
    let row = |(key, name): (i32, &&str)| Region {
        r_regionkey: key,
        r_name: (*name).to_owned(),
        r_comment: random.text(31, 115),
    };
    (0..).zip(&REGIONS).map(row).collect()
}

pub fn nations() -> Vec<Nation> {
    let mut random = Random::of("nation");
    let row = |(key, (name, region)): (i32, &(&str, i32))| Nation {
        n_nationkey: key,
        n_name: (*name).to_owned(),
        n_regionkey: *region,
        n_comment: random.text(31, 114),
        region: BelongsTo::default(),
    };
    (0..).zip(&NATIONS).map(row).collect()
}

pub fn suppliers() -> Vec<Supplier> {
    let mut random = Random::of("supplier");
    let mut row = |key| {
        let nation = random.number(0, 24);
        let comment = match key % 20 {
            7 => format!("{} Customer {} Complaints", random.text(10, 30), random.text(5, 20)),
            13 => format!("{} Customer {} Recommends", random.text(10, 30), random.text(5, 20)),
            _ => random.text(25, 100),
        };
        Supplier {
            s_suppkey: key,
            s_name: format!("Supplier#{key:09}"),
            s_address: random.address(10, 40),
            s_nationkey: nation,
            s_phone: random.phone(nation),
            s_acctbal: random.money(-99_999, 999_999),
            s_comment: comment,
            nation: BelongsTo::default(),
        }
    };
    (1..=SUPPLIERS).map(&mut row).collect()
}

pub fn parts() -> Vec<Part> {
    let mut random = Random::of("part");
    let mut row = |key| {
        let maker = random.number(1, 5);
        Part {
            p_partkey: key,
            p_name: random.words(&[COLORS; 5]),
            p_mfgr: format!("Manufacturer#{maker}"),
            p_brand: format!("Brand#{maker}{}", random.number(1, 5)),
            p_type: random.words(&TYPES),
            p_size: random.number(1, 50),
            p_container: random.words(&CONTAINERS),
            p_retailprice: retail_price(key),
            p_comment: random.text(5, 22),
        }
    };
    (1..=PARTS).map(&mut row).collect()
}

pub fn part_suppliers() -> Vec<PartSupp> {
    let mut random = Random::of("partsupp");
    let mut row = |part, which| PartSupp {
        ps_partkey: part,
        ps_suppkey: supplier_of(part, which),
        ps_availqty: random.number(1, 9_999),
        ps_supplycost: random.money(100, 100_000),
        ps_comment: random.text(49, 198),
        part: BelongsTo::default(),
        supplier: BelongsTo::default(),
    };
    (1..=PARTS).flat_map(|part| (0..4).map(move |which| (part, which))).map(|(part, which)| row(part, which)).collect()
}

pub fn customers() -> Vec<Customer> {
    let mut random = Random::of("customer");
    let mut row = |key| {
        let nation = random.number(0, 24);
        Customer {
            c_custkey: key,
            c_name: format!("Customer#{key:09}"),
            c_address: random.address(10, 40),
            c_nationkey: nation,
            c_phone: random.phone(nation),
            c_acctbal: random.money(-99_999, 999_999),
            c_mktsegment: random.pick(SEGMENTS).to_owned(),
            c_comment: random.text(29, 116),
            nation: BelongsTo::default(),
        }
    };
    (1..=CUSTOMERS).map(&mut row).collect()
}

/// The orders with their items.
pub fn orders() -> (Vec<Order>, Vec<LineItem>) {
    let mut random = Random::of("orders");
    let (mut orders, mut items) = (Vec::new(), Vec::new());
    for n in 0..ORDERS {
        // Of 32 keys 8 are used, and a third of the customers orders nothing.
        let key = n / 8 * 32 + n % 8 + 1;
        let customer = random.number(0, CUSTOMERS / 3 - 1) * 3 + random.number(1, 2);
        let date = random.day_after(day(1992, 1, 1), 0, 2_405);
        let first = items.len();
        for line in 1..=random.number(1, 7) {
            items.push(item(&mut random, key, line, date));
        }
        let lines: &[LineItem] = &items[first..];
        let shipped = lines.iter().filter(|line| line.l_linestatus == "F").count();
        let one = Decimal::ONE;
        let total: Decimal = lines.iter().map(|l| l.l_extendedprice * (one + l.l_tax) * (one - l.l_discount)).sum();
        let comment = if random.one_in(80) {
            format!("{} special {} requests", random.text(5, 20), random.text(5, 20))
        } else {
            random.text(19, 78)
        };
        orders.push(Order {
            o_orderkey: key,
            o_custkey: customer,
            o_orderstatus: if shipped == lines.len() {
                "F"
            } else if shipped == 0 {
                "O"
            } else {
                "P"
            }
            .to_owned(),
            o_totalprice: total.round_dp(2),
            o_orderdate: date,
            o_orderpriority: random.pick(PRIORITIES).to_owned(),
            o_clerk: format!("Clerk#{:09}", random.number(1, 10)),
            o_shippriority: 0,
            o_comment: comment,
            customer: BelongsTo::default(),
        });
    }
    (orders, items)
}

fn item(random: &mut Random, order: i32, line: i32, ordered: NaiveDate) -> LineItem {
    let today = day(1995, 6, 17);
    let part = random.number(1, PARTS);
    let quantity = Decimal::from(random.number(1, 50));
    let shipped = random.day_after(ordered, 1, 121);
    let received = random.day_after(shipped, 1, 30);
    LineItem {
        l_orderkey: order,
        l_partkey: part,
        l_suppkey: supplier_of(part, random.number(0, 3)),
        l_linenumber: line,
        l_quantity: quantity,
        l_extendedprice: quantity * retail_price(part),
        l_discount: random.money(0, 10),
        l_tax: random.money(0, 8),
        l_returnflag: if received > today { "N" } else { random.pick(&["R", "A"]) }.to_owned(),
        l_linestatus: if shipped > today { "O" } else { "F" }.to_owned(),
        l_shipdate: shipped,
        l_commitdate: random.day_after(ordered, 30, 90),
        l_receiptdate: received,
        l_shipinstruct: random.pick(INSTRUCTIONS).to_owned(),
        l_shipmode: random.pick(MODES).to_owned(),
        l_comment: random.text(10, 43),
        order: BelongsTo::default(),
        part: BelongsTo::default(),
        supplier: BelongsTo::default(),
        offer: BelongsTo::default(),
    }
}
