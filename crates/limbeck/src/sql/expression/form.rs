//! What is more than operands in a pattern: CASE, casts, calls with their clauses, paths into JSON.
//!
//! All passes over such a piece stand here side by side, since the binds of a shape have to come in the order of the
//! placeholders of the text.

use super::cast;
use super::order::Order;
use super::window::Window;
use crate::dialect::Dialect;
use crate::sql::node::Node;
use crate::sql::op::{Level, Op, Spelling};
use crate::sql::render::Renderer;
use crate::sql::shape::Shape;
use crate::sql::share;
use crate::types::Kind;

/// A piece of an expression that has a form of its own.
#[derive(Clone, Debug)]
pub enum Form {
    /// `CASE WHEN … THEN … ELSE … END`
    Case {
        /// Conditions and what holds under each.
        whens: Vec<(Node, Node)>,
        /// What holds under none of them.
        otherwise: Option<Node>,
    },
    /// `CAST(… AS …)`
    Cast {
        /// What is cast.
        node: Node,
        /// Its kind.
        from: Kind,
        /// The kind that is wanted.
        to: Kind,
    },
    /// `… COLLATE …`
    Collate(Node, &'static str),
    /// A call that may have clauses.
    Call(Call),
    /// A part of a JSON value, which is JSON again, or text.
    Json {
        /// The whole.
        node: Node,
        /// The way to the part.
        steps: Vec<Step>,
        /// Whether it is wanted as text.
        text: bool,
    },
    /// An element of an array.
    Element {
        /// The array.
        node: Node,
        /// Which element, counted from 0.
        index: usize,
        /// Whether SQLite has bytes in it, which stand there in hexadecimal digits.
        bytes: bool,
    },
}

/// A step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array, counted from 0.
    Index(usize),
}

/// A call of a function that may be an aggregate or a window function.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) function: Function,
    pub(super) operands: Vec<Node>,
    /// Whether it makes one value of many rows.
    pub(super) aggregate: bool,
    pub(super) distinct: bool,
    pub(super) order: Vec<Order>,
    pub(super) filter: Option<Node>,
    pub(super) window: Option<Window>,
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    /// One of the catalogue, whose pattern is `name(…)`.
    Op(&'static Op),
    /// One that limbeck does not know.
    Name(&'static str),
}

impl From<Form> for Node {
    fn from(form: Form) -> Self {
        Node::Form(Box::new(form))
    }
}

impl Call {
    pub(super) fn new(function: Function, operands: Vec<Node>, aggregate: bool) -> Self {
        Call { function, operands, aggregate, distinct: false, order: Vec::new(), filter: None, window: None }
    }

    /// Whether it puts distinct values in order, which have to be those that it orders by.
    pub(in crate::sql) fn is_ordered_set(&self) -> bool {
        self.distinct && !self.order.is_empty()
    }

    fn is_plain(&self) -> bool {
        !self.distinct && self.order.is_empty() && self.filter.is_none() && self.window.is_none()
    }
}

impl Form {
    /// How tightly it holds together.
    pub(crate) fn level(&self) -> Level {
        match self {
            Form::Case { .. } | Form::Call(_) | Form::Cast { .. } => Level::Atom,
            Form::Collate(..) | Form::Json { .. } | Form::Element { .. } => Level::Other,
        }
    }

    /// Whether it is what makes one value of many rows.
    pub(crate) fn is_aggregate(&self) -> bool {
        matches!(self, Form::Call(call) if call.aggregate && call.window.is_none())
    }

    /// Whether it looks at the rows around each row.
    pub(crate) fn is_window(&self) -> bool {
        matches!(self, Form::Call(call) if call.window.is_some())
    }

    /// The expressions that it is made of, to change.
    pub(crate) fn children_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        match self {
            Form::Case { whens, otherwise } => {
                for (condition, value) in whens {
                    visit(condition);
                    visit(value);
                }
                otherwise.iter_mut().for_each(visit);
            }
            Form::Cast { node, .. } | Form::Collate(node, _) | Form::Json { node, .. } | Form::Element { node, .. } => {
                visit(node);
            }
            Form::Call(call) => {
                call.operands.iter_mut().for_each(&mut *visit);
                call.order.iter_mut().for_each(|order| visit(&mut order.node));
                call.filter.iter_mut().for_each(&mut *visit);
                if let Some(window) = &mut call.window {
                    window.partition.iter_mut().for_each(&mut *visit);
                    window.order.iter_mut().for_each(|order| visit(&mut order.node));
                }
            }
        }
    }

    /// The expressions that it is made of.
    pub(crate) fn children<'n>(&'n self, visit: &mut dyn FnMut(&'n Node)) {
        match self {
            Form::Case { whens, otherwise } => {
                for (condition, value) in whens {
                    visit(condition);
                    visit(value);
                }
                otherwise.iter().for_each(visit);
            }
            Form::Cast { node, .. } | Form::Collate(node, _) | Form::Json { node, .. } | Form::Element { node, .. } => {
                visit(node);
            }
            Form::Call(call) => {
                call.operands.iter().for_each(&mut *visit);
                call.order.iter().for_each(|order| visit(&order.node));
                call.filter.iter().for_each(&mut *visit);
                if let Some(window) = &call.window {
                    window.partition.iter().for_each(&mut *visit);
                    window.order.iter().for_each(|order| visit(&order.node));
                }
            }
        }
    }
}

impl Renderer {
    pub(in crate::sql) fn form(&mut self, form: &Form) -> &mut Self {
        match form {
            Form::Case { whens, otherwise } => {
                self.push("CASE");
                for (condition, value) in whens {
                    self.push(" WHEN ").node(condition).push(" THEN ").node(value);
                }
                if let Some(value) = otherwise {
                    self.push(" ELSE ").node(value);
                }
                self.push(" END")
            }
            Form::Cast { node, from, to } => match cast::spelling(self.dialect, *from, *to) {
                // What follows is a parenthesis, a comma or a word of CAST, or else an operator.
                Ok((before, after)) if after.starts_with([')', ',']) || after.starts_with(" AS ") => {
                    self.push(&before).node(node).push(&after)
                }
                Ok((before, after)) => self.push(&before).inner(node).push(&after),
                Err(why) => self.refuse("a cast", &why),
            },
            Form::Collate(node, collation) => self.inner(node).push(" COLLATE ").ident(collation),
            Form::Call(call) => self.call(call),
            Form::Json { node, steps, text } => self.json_path(node, steps, *text),
            Form::Element { node, index, bytes } => match self.dialect {
                Dialect::Postgres => self.push("(").node(node).push(&format!(")[{}]", index.saturating_add(1))),
                Dialect::Sqlite if *bytes => self.push("unhex(").inner(node).push(&format!(" ->> '$[{index}]')")),
                Dialect::Sqlite => self.inner(node).push(&format!(" ->> '$[{index}]'")),
            },
        }
    }

    fn call(&mut self, call: &Call) -> &mut Self {
        let sharing = self.sharing.begin(share::in_call(call, self.dialect));
        self.call_parts(call);
        self.sharing.end(sharing);
        self
    }

    fn call_parts(&mut self, call: &Call) -> &mut Self {
        match call.function {
            Function::Op(op) => match op.spelling(self.dialect) {
                Spelling::Missing(why) => return self.refuse(op.name, why),
                Spelling::Pattern(pattern) if call.is_plain() => return self.pattern(op, pattern, &call.operands),
                Spelling::Pattern(pattern) => {
                    // `name(` and what stands between the parentheses: clauses go inside.
                    let (name, inside) = pattern.split_once('(').unwrap_or((pattern, ")"));
                    self.push(name).push(if call.distinct { "(DISTINCT " } else { "(" });
                    self.pattern(op, inside.strip_suffix(')').unwrap_or(inside), &call.operands);
                }
            },
            Function::Name(name) if is_function_name(name) => {
                self.push(name).push(if call.distinct { "(DISTINCT " } else { "(" }).list(&call.operands);
            }
            Function::Name(name) => {
                let why = "it is not the name of a function: letters, digits and `_`, perhaps after a schema and a dot";
                return self.refuse(&format!("`{name}`"), why);
            }
        }
        self.orders(" ORDER BY ", &call.order).push(")");
        if let Some(condition) = &call.filter {
            self.push(" FILTER (WHERE ").node(condition).push(")");
        }
        if call.distinct && call.operands.len() > 1 && self.dialect == Dialect::Sqlite {
            self.refuse(
                "DISTINCT in a call with two arguments",
                "SQLite takes it with one only; select the distinct values in a subquery first",
            );
        }
        match &call.window {
            Some(_) if call.distinct => self.refuse("DISTINCT before OVER", "a window function cannot have it"),
            Some(_) if !call.order.is_empty() => {
                self.refuse("`.order_by` before `.over`", "it is the window that orders: `window().order_by(…)`")
            }
            Some(window) => self.push(" OVER (").window(window).push(")"),
            None => self,
        }
    }

    fn window(&mut self, window: &Window) -> &mut Self {
        if !window.partition.is_empty() {
            self.push("PARTITION BY ").list(&window.partition);
        }
        let between = if window.partition.is_empty() { "" } else { " " };
        self.orders(&format!("{between}ORDER BY "), &window.order);
        let Some(frame) = &window.frame else { return self };
        if !self.sql.ends_with('(') {
            self.push(" ");
        }
        match frame.spelling() {
            Ok(text) => self.push(&text),
            Err(why) => self.refuse("the frame of a window", why),
        }
    }

    /// The terms of an ORDER BY, if there are any.
    pub(in crate::sql) fn orders(&mut self, begin: &str, orders: &[Order]) -> &mut Self {
        for (index, order) in orders.iter().enumerate() {
            self.push(if index == 0 { begin } else { ", " }).node(&order.node).push(order.suffix());
        }
        self
    }

    /// Keys and numbers are written into the statement, as they are in an index over such an expression: with a
    /// parameter in their place neither database would use it.
    fn json_path(&mut self, node: &Node, steps: &[Step], text: bool) -> &mut Self {
        match self.dialect {
            Dialect::Postgres if steps.is_empty() => self.inner(node).push(" #>> '{}'"),
            Dialect::Postgres => {
                self.inner(node);
                for (index, step) in steps.iter().enumerate() {
                    self.push(if text && index + 1 == steps.len() { " ->> " } else { " -> " });
                    match step {
                        Step::Key(key) => self.text_literal(key),
                        Step::Index(index) => self.push(&index.to_string()),
                    };
                }
                self
            }
            Dialect::Sqlite => {
                let path = match sqlite_path(steps) {
                    Ok(path) => path,
                    Err(key) => {
                        let what = format!("the JSON key {key:?}");
                        return self.refuse(&what, "its paths cannot have a quotation mark or a backslash in a key");
                    }
                };
                if !text {
                    return self.inner(node).push(" -> ").text_literal(&path);
                }
                // Its `->>` gives numbers as numbers, and booleans as 1 and 0.
                for begin in ["CASE json_type(", " WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST("] {
                    self.push(begin).inner(node);
                    self.push(if begin.starts_with("CASE") { ", " } else { " ->> " }).text_literal(&path);
                    self.push(if begin.starts_with("CASE") { ")" } else { " AS TEXT) END" });
                }
                self
            }
        }
    }

    /// A text as a literal.
    pub(in crate::sql) fn text_literal(&mut self, text: &str) -> &mut Self {
        if text.contains('\0') {
            return self.refuse("a text with a NUL character (U+0000)", "databases cannot keep it");
        }
        // Whether a backslash is one in '…' is a setting of PostgreSQL; in E'…' it is not.
        if self.dialect == Dialect::Postgres && text.contains('\\') {
            let text = text.replace('\\', "\\\\").replace('\'', "''");
            return self.push("E'").push(&text).push("'");
        }
        let text = text.replace('\'', "''");
        self.push("'").push(&text).push("'")
    }
}

/// `$."a"[0]`
///
/// # Errors
/// The key that cannot be written.
fn sqlite_path(steps: &[Step]) -> Result<String, &str> {
    let mut path = String::from("$");
    for step in steps {
        match step {
            Step::Key(key) if key.contains(['"', '\\']) => return Err(key),
            Step::Key(key) => path.extend([".\"", key, "\""]),
            Step::Index(index) => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    Ok(path)
}

/// Whether it may stand in a statement without quotes, which would make PostgreSQL look for that very spelling.
fn is_function_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('.').all(|part| {
            let mut chars = part.chars();
            chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
                && chars.all(|c| c == '_' || c.is_alphanumeric())
        })
}

impl<'q> Shape<'q> {
    pub(in crate::sql) fn form(&mut self, form: &'q Form, dialect: Dialect) {
        match form {
            Form::Case { whens, otherwise } => {
                self.byte(1);
                self.number(whens.len() as u64);
                for (condition, value) in whens {
                    self.node(condition, dialect);
                    self.node(value, dialect);
                }
                self.byte(u8::from(otherwise.is_some()));
                if let Some(value) = otherwise {
                    self.node(value, dialect);
                }
            }
            Form::Cast { node, from, to } => {
                self.byte(2);
                from.write(&mut self.bytes);
                to.write(&mut self.bytes);
                self.node(node, dialect);
            }
            Form::Collate(node, collation) => {
                self.byte(3);
                self.text(collation);
                self.node(node, dialect);
            }
            Form::Call(call) => {
                self.byte(4);
                let sharing = self.sharing.begin(share::in_call(call, dialect));
                self.call(call, dialect);
                self.sharing.end(sharing);
            }
            Form::Json { node, steps, text } => {
                self.byte(5);
                self.byte(u8::from(*text));
                self.node(node, dialect);
                if *text && dialect == Dialect::Sqlite {
                    // It is written twice.
                    self.node(node, dialect);
                }
                self.number(steps.len() as u64);
                for step in steps {
                    match step {
                        Step::Key(key) => {
                            self.byte(1);
                            self.text(key);
                        }
                        Step::Index(index) => {
                            self.byte(2);
                            self.number(*index as u64);
                        }
                    }
                }
            }
            Form::Element { node, index, bytes } => {
                self.byte(6);
                self.byte(u8::from(*bytes));
                self.number(*index as u64);
                self.node(node, dialect);
            }
        }
    }

    fn call(&mut self, call: &'q Call, dialect: Dialect) {
        match call.function {
            Function::Op(op) => {
                self.byte(1);
                self.op(op, &call.operands, dialect);
            }
            Function::Name(name) => {
                self.byte(2);
                self.text(name);
                self.nodes(&call.operands, dialect);
            }
        }
        self.byte(u8::from(call.distinct));
        self.orders(&call.order, dialect);
        self.byte(u8::from(call.filter.is_some()));
        if let Some(condition) = &call.filter {
            self.node(condition, dialect);
        }
        self.byte(u8::from(call.window.is_some()));
        if let Some(window) = &call.window {
            self.nodes(&window.partition, dialect);
            self.orders(&window.order, dialect);
            match &window.frame {
                None => self.byte(0),
                Some(frame) => {
                    let (unit, edges) = frame.mark();
                    self.byte(unit);
                    for edge in edges {
                        self.byte(u8::from(edge.is_some()));
                        self.number(edge.unwrap_or(0) as u64);
                    }
                }
            }
        }
    }

    /// The terms of an ORDER BY.
    pub(in crate::sql) fn orders(&mut self, orders: &'q [Order], dialect: Dialect) {
        self.number(orders.len() as u64);
        for order in orders {
            self.byte(order.mark());
            self.node(&order.node, dialect);
        }
    }
}
