//! The eight tables. Columns are called as in TPC-H, so that a query and its SQL can be read side by
//! side. The keys are the generator's.

use limbeck::prelude::*;

#[derive(Model, Debug)]
#[model(table = "region")]
pub struct Region {
    #[column(primary_key, autoincrement = false)]
    pub r_regionkey: i32,
    #[column(length = 25)]
    pub r_name: String,
    #[column(length = 152)]
    pub r_comment: String,
}

#[derive(Model, Debug)]
#[model(table = "nation")]
pub struct Nation {
    #[column(primary_key, autoincrement = false)]
    pub n_nationkey: i32,
    #[column(length = 25)]
    pub n_name: String,
    #[column(foreign_key(Region.r_regionkey))]
    pub n_regionkey: i32,
    #[column(length = 152)]
    pub n_comment: String,
    #[relationship]
    pub region: BelongsTo<Region>,
}

#[derive(Model, Debug)]
#[model(table = "supplier")]
pub struct Supplier {
    #[column(primary_key, autoincrement = false)]
    pub s_suppkey: i32,
    #[column(length = 25)]
    pub s_name: String,
    #[column(length = 40)]
    pub s_address: String,
    #[column(foreign_key(Nation.n_nationkey))]
    pub s_nationkey: i32,
    #[column(length = 15)]
    pub s_phone: String,
    #[column(numeric(15, 2))]
    pub s_acctbal: Decimal,
    #[column(length = 101)]
    pub s_comment: String,
    #[relationship]
    pub nation: BelongsTo<Nation>,
}

#[derive(Model, Debug)]
#[model(table = "part")]
pub struct Part {
    #[column(primary_key, autoincrement = false)]
    pub p_partkey: i32,
    #[column(length = 55)]
    pub p_name: String,
    #[column(length = 25)]
    pub p_mfgr: String,
    #[column(length = 10)]
    pub p_brand: String,
    #[column(length = 25)]
    pub p_type: String,
    pub p_size: i32,
    #[column(length = 10)]
    pub p_container: String,
    #[column(numeric(15, 2))]
    pub p_retailprice: Decimal,
    #[column(length = 23)]
    pub p_comment: String,
}

#[derive(Model, Debug)]
#[model(table = "partsupp")]
pub struct PartSupp {
    #[column(primary_key, foreign_key(Part.p_partkey))]
    pub ps_partkey: i32,
    #[column(primary_key, foreign_key(Supplier.s_suppkey))]
    pub ps_suppkey: i32,
    pub ps_availqty: i32,
    #[column(numeric(15, 2))]
    pub ps_supplycost: Decimal,
    #[column(length = 199)]
    pub ps_comment: String,
    #[relationship]
    pub part: BelongsTo<Part>,
    #[relationship]
    pub supplier: BelongsTo<Supplier>,
}

#[derive(Model, Debug)]
#[model(table = "customer")]
pub struct Customer {
    #[column(primary_key, autoincrement = false)]
    pub c_custkey: i32,
    #[column(length = 25)]
    pub c_name: String,
    #[column(length = 40)]
    pub c_address: String,
    #[column(foreign_key(Nation.n_nationkey))]
    pub c_nationkey: i32,
    #[column(length = 15)]
    pub c_phone: String,
    #[column(numeric(15, 2))]
    pub c_acctbal: Decimal,
    #[column(length = 10)]
    pub c_mktsegment: String,
    #[column(length = 117)]
    pub c_comment: String,
    #[relationship]
    pub nation: BelongsTo<Nation>,
}

#[derive(Model, Debug)]
#[model(table = "orders")]
pub struct Order {
    #[column(primary_key, autoincrement = false)]
    pub o_orderkey: i32,
    #[column(foreign_key(Customer.c_custkey))]
    pub o_custkey: i32,
    #[column(length = 1)]
    pub o_orderstatus: String,
    #[column(numeric(15, 2))]
    pub o_totalprice: Decimal,
    #[column(index)]
    pub o_orderdate: NaiveDate,
    #[column(length = 15)]
    pub o_orderpriority: String,
    #[column(length = 15)]
    pub o_clerk: String,
    pub o_shippriority: i32,
    #[column(length = 79)]
    pub o_comment: String,
    #[relationship]
    pub customer: BelongsTo<Customer>,
}

#[derive(Model, Debug)]
#[model(table = "lineitem", foreign_key((l_partkey, l_suppkey), PartSupp(ps_partkey, ps_suppkey)))]
pub struct LineItem {
    #[column(primary_key, foreign_key(Order.o_orderkey))]
    pub l_orderkey: i32,
    #[column(foreign_key(Part.p_partkey))]
    pub l_partkey: i32,
    #[column(foreign_key(Supplier.s_suppkey))]
    pub l_suppkey: i32,
    #[column(primary_key)]
    pub l_linenumber: i32,
    #[column(numeric(15, 2))]
    pub l_quantity: Decimal,
    #[column(numeric(15, 2))]
    pub l_extendedprice: Decimal,
    #[column(numeric(15, 2))]
    pub l_discount: Decimal,
    #[column(numeric(15, 2))]
    pub l_tax: Decimal,
    #[column(length = 1)]
    pub l_returnflag: String,
    #[column(length = 1)]
    pub l_linestatus: String,
    #[column(index)]
    pub l_shipdate: NaiveDate,
    pub l_commitdate: NaiveDate,
    pub l_receiptdate: NaiveDate,
    #[column(length = 25)]
    pub l_shipinstruct: String,
    #[column(length = 10)]
    pub l_shipmode: String,
    #[column(length = 44)]
    pub l_comment: String,
    #[relationship]
    pub order: BelongsTo<Order>,
    #[relationship]
    pub part: BelongsTo<Part>,
    #[relationship]
    pub supplier: BelongsTo<Supplier>,
    /// The part as that supplier sells it.
    #[relationship]
    pub offer: BelongsTo<PartSupp>,
}
