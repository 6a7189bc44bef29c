//! The types of columns.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::types::{ColumnType, Kind};

/// A column's type, by SQLAlchemy's names. How each database spells it is the dialect's business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// A 16-bit integer.
    SmallInteger,
    /// A 32-bit integer.
    Integer,
    /// A 64-bit integer.
    BigInteger,
    /// A 32-bit float.
    Real,
    /// A 64-bit float.
    Double,
    /// An exact decimal number: at most `precision` digits, `scale` of them after the point. Without a precision it
    /// is any number.
    Numeric {
        /// How many digits, before and after the point together.
        precision: Option<u32>,
        /// How many digits after the point, where there is a precision.
        scale: u32,
    },
    /// true or false.
    Boolean,
    /// Text, at most `length` characters where one is given.
    String {
        /// The most characters that the column holds.
        length: Option<u32>,
    },
    /// Text of any length.
    Text,
    /// Bytes.
    LargeBinary,
    /// A date and time.
    DateTime {
        /// Whether it is a moment (with zone, kept in UTC) or a reading of a clock (without).
        timezone: bool,
    },
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A length of time.
    Interval,
    /// JSON.
    Json {
        /// Whether PostgreSQL keeps it as `jsonb`, which can be indexed, or as the text that was sent.
        binary: bool,
    },
    /// An array.
    Array(ArrayType),
    /// A UUID.
    Uuid {
        /// Whether SQLite keeps it as 32 hexadecimal digits, as SQLAlchemy does, and not as 16 bytes.
        text: bool,
    },
    /// One of a few values that have names.
    Enum(EnumType),
    /// A type of PostgreSQL's whose values are text, by its name: `citext`. SQLite keeps it as text.
    Named(&'static str),
    /// A type that limbeck has no name for, in the database's own spelling. Reflection makes these.
    Other(String),
}

/// The values that an enumeration has, in order. PostgreSQL has a type of that name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    name: Cow<'static, str>,
    values: Cow<'static, [Cow<'static, str>]>,
}

impl EnumType {
    /// An enumeration that the program knows. Used by `derive(DbEnum)`.
    pub const fn new(name: &'static str, values: &'static [Cow<'static, str>]) -> Self {
        EnumType { name: Cow::Borrowed(name), values: Cow::Borrowed(values) }
    }

    /// One that was read from a database.
    pub fn read(name: String, values: Vec<String>) -> Self {
        EnumType { name: Cow::Owned(name), values: values.into_iter().map(Cow::Owned).collect() }
    }

    /// The type's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values.
    pub fn values(&self) -> &[Cow<'static, str>] {
        &self.values
    }

    /// How many characters the longest value has.
    pub fn longest(&self) -> usize {
        self.values.iter().map(|value| value.chars().count()).max().unwrap_or(0)
    }
}

/// What an array is made of.
#[derive(Clone, Copy, Debug)]
pub struct ArrayType {
    element: &'static SqlType,
    kind: &'static Kind,
}

impl ArrayType {
    /// An array of elements of a type.
    pub const fn new(element: &'static SqlType) -> Self {
        let kind = match element {
            SqlType::SmallInteger => &Kind::I16,
            SqlType::Integer => &Kind::I32,
            SqlType::BigInteger => &Kind::I64,
            SqlType::Real => &Kind::F32,
            SqlType::Double => &Kind::F64,
            SqlType::Numeric { .. } => &Kind::Decimal,
            SqlType::Boolean => &Kind::Bool,
            SqlType::LargeBinary => &Kind::Bytes,
            SqlType::DateTime { timezone: true } => &Kind::DateTime,
            SqlType::DateTime { timezone: false } => &Kind::Timestamp,
            SqlType::Date => &Kind::Date,
            SqlType::Time => &Kind::Time,
            SqlType::Interval => &Kind::Interval,
            SqlType::Uuid { .. } => &Kind::Uuid,
            _ => &Kind::Text,
        };
        ArrayType { element, kind }
    }

    /// An array of `T`s. Texts in it have no length: PostgreSQL does not compare `varchar[]` with `text[]`.
    pub(crate) const fn of<T: ColumnType>() -> Self {
        ArrayType { element: Of::<T>::ELEMENT, kind: Of::<T>::KIND }
    }

    /// The kind of an array's `T`.
    pub(crate) const fn kind_of<T: ColumnType>() -> Kind {
        *Of::<T>::KIND
    }

    /// The type of the elements.
    pub const fn element(&self) -> &'static SqlType {
        self.element
    }

    /// How the elements travel.
    pub const fn kind(&self) -> Kind {
        *self.kind
    }
}

/// Arrays of the same elements are the same.
impl PartialEq for ArrayType {
    fn eq(&self, other: &Self) -> bool {
        self.element == other.element
    }
}

impl Eq for ArrayType {}

impl Hash for ArrayType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.element.hash(state);
    }
}

/// Constants that a type's array refers to.
struct Of<T>(PhantomData<T>);

impl<T: ColumnType> Of<T> {
    const TYPE: &'static SqlType = &T::SQL_TYPE;
    const ELEMENT: &'static SqlType = match Self::TYPE {
        SqlType::String { .. } => &SqlType::Text,
        other => other,
    };
    const KIND: &'static Kind = &Self::TYPE.kind();
}

impl SqlType {
    /// Whether columns of type `T` are text, and so may have a length. Used by `derive(Model)`.
    pub const fn can_have_length<T: ColumnType>() -> bool {
        matches!(Of::<T>::TYPE, SqlType::String { .. } | SqlType::Text)
    }

    /// Whether columns of type `T` may be kept as text: texts, and UUIDs on SQLite. Used by `derive(Model)`.
    pub const fn can_be_text<T: ColumnType>() -> bool {
        matches!(Of::<T>::TYPE, SqlType::String { .. } | SqlType::Text | SqlType::Uuid { .. })
    }

    /// Whether columns of type `T` are decimals, and so may have a precision. Used by `derive(Model)`.
    pub const fn can_be_numeric<T: ColumnType>() -> bool {
        matches!(Of::<T>::TYPE, SqlType::Numeric { .. })
    }

    /// Whether columns of type `T` are JSON. Used by `derive(Model)`.
    pub const fn can_be_json<T: ColumnType>() -> bool {
        matches!(Of::<T>::TYPE, SqlType::Json { .. })
    }

    /// Whether columns of type `T` may be numbered by the database. Used by `derive(Model)`.
    pub const fn can_be_generated<T: ColumnType>() -> bool {
        Of::<T>::TYPE.is_integer()
    }

    /// The type that `T` has by the option `text`. Used by `derive(Model)`.
    pub const fn text<T: ColumnType>() -> SqlType {
        match Of::<T>::TYPE {
            SqlType::Uuid { .. } => SqlType::Uuid { text: true },
            _ => SqlType::Text,
        }
    }

    /// Whether it is one of the integers, which is what a generated key has to be.
    pub const fn is_integer(&self) -> bool {
        matches!(self, SqlType::SmallInteger | SqlType::Integer | SqlType::BigInteger)
    }

    /// How values of this type travel.
    pub const fn kind(&self) -> Kind {
        match self {
            SqlType::SmallInteger => Kind::I16,
            SqlType::Integer => Kind::I32,
            SqlType::BigInteger => Kind::I64,
            SqlType::Real => Kind::F32,
            SqlType::Double => Kind::F64,
            SqlType::Numeric { .. } => Kind::Decimal,
            SqlType::Boolean => Kind::Bool,
            SqlType::String { .. } | SqlType::Text | SqlType::Other(_) => Kind::Text,
            SqlType::Named(name) => Kind::Named(name),
            SqlType::LargeBinary => Kind::Bytes,
            SqlType::DateTime { timezone: true } => Kind::DateTime,
            SqlType::DateTime { timezone: false } => Kind::Timestamp,
            SqlType::Date => Kind::Date,
            SqlType::Time => Kind::Time,
            SqlType::Interval => Kind::Interval,
            SqlType::Json { binary: true } => Kind::Json,
            // By way of jsonb, the text would come back in another order.
            SqlType::Json { binary: false } => Kind::Named("json"),
            SqlType::Array(array) => Kind::Array(array.kind),
            SqlType::Uuid { text: false } => Kind::Uuid,
            SqlType::Uuid { text: true } => Kind::UuidText,
            SqlType::Enum(EnumType { name: Cow::Borrowed(name), .. }) => Kind::Named(name),
            // Read from a database, where nothing is bound.
            SqlType::Enum(_) => Kind::Text,
        }
    }
}
