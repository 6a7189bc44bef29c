"""SQLAlchemy's half of the test `sqlalchemy.rs`.

    samples.py <url> <command>…

    create            makes the table `samples`
    write=<writer>    writes one row for each case, marked as written by <writer>
    read=<writer>     reads those rows and compares; says what differs and exits with 1

What each case holds is said twice, here and in `sqlalchemy.rs`, so that neither side can be wrong alone.
"""

import datetime as dt
import enum
import struct
import sys
import uuid
import warnings
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# SQLite keeps Numeric as a float, of which SQLAlchemy warns; up to 15 digits nothing is lost.
warnings.filterwarnings("ignore", message="Dialect sqlite\\+pysqlite does \\*not\\* support Decimal")

UTC = dt.timezone.utc


class Status(enum.Enum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"


def values(members):
    return [member.value for member in members]


def array(item):
    """An ARRAY where there are arrays; the same list as JSON elsewhere."""
    return sa.JSON(none_as_null=True).with_variant(postgresql.ARRAY(item), "postgresql")


COLUMNS = {
    "small": sa.SmallInteger(),
    "number": sa.Integer(),
    "big": sa.BigInteger(),
    "single": sa.REAL(),
    "double": sa.Double(),
    "flag": sa.Boolean(),
    "name": sa.String(100),
    "plain": sa.String(),
    "body": sa.Text(),
    "moment": sa.DateTime(timezone=True),
    "clock": sa.DateTime(),
    "day": sa.Date(),
    "time": sa.Time(),
    "span": sa.Interval(),
    "price": sa.Numeric(10, 2),
    "rate": sa.Numeric(15, 6),
    "document": sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
    "verbatim": sa.JSON(),
    "numbers": array(sa.BigInteger()),
    "words": array(sa.String()),
    "gaps": array(sa.Integer()),
    "status": sa.Enum(Status, values_callable=values, name="status"),
    "token": sa.Uuid(),
    "payload": sa.LargeBinary(),
}

EPOCH = dt.datetime(1970, 1, 1)
DOCUMENT = {"title": "Ünï \U0001f600", "tags": ["a", None, True], "deep": {"n": -1.5, "big": 9007199254740993}}

CASES = {
    "typical": {
        "small": 7,
        "number": -42,
        "big": 1_234_567_890_123,
        "single": 1.5,
        "double": 0.1,
        "flag": True,
        "name": "Ada",
        "plain": "it's \"quoted\" \\ 100%",
        "body": "two\nlines\tand a tab",
        "moment": dt.datetime(2026, 11, 22, 8, 12, 0, 123456, UTC),
        "clock": dt.datetime(2026, 11, 22, 8, 12, 0, 120000),
        "day": dt.date(2024, 2, 29),
        "time": dt.time(8, 12, 0, 1),
        "span": dt.timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=5),
        "price": Decimal("19.99"),
        "rate": Decimal("0.123456"),
        "document": DOCUMENT,
        "verbatim": DOCUMENT,
        "numbers": [1, 2, 3],
        "words": ["a", "b,c", 'd"e', "{f}", "NULL", "", "\\"],
        "gaps": [1, None, 3],
        "status": Status.IN_REVIEW,
        "token": uuid.UUID("0192f0c1-2d3e-7f4a-8b5c-6d7e8f901234"),
        "payload": bytes(range(256)),
    },
    "lowest": {
        "small": -(2**15),
        "number": -(2**31),
        "big": -(2**63),
        "single": -3.4028234663852886e38,
        "double": -1.7976931348623157e308,
        "flag": False,
        "name": "",
        "plain": "",
        "body": "",
        "moment": dt.datetime(1, 1, 1, tzinfo=UTC),
        "clock": dt.datetime(1, 1, 1),
        "day": dt.date(1, 1, 1),
        "time": dt.time(0, 0),
        "span": dt.datetime(1, 1, 1) - EPOCH,
        "price": Decimal("-99999999.99"),
        "rate": Decimal("-999999999.999999"),
        "document": None,
        "verbatim": None,
        "numbers": [],
        "words": [],
        "gaps": [None],
        "status": Status.DRAFT,
        "token": uuid.UUID(int=0),
        "payload": b"",
    },
    "highest": {
        "small": 2**15 - 1,
        "number": 2**31 - 1,
        "big": 2**63 - 1,
        "single": 3.4028234663852886e38,
        "double": 1.7976931348623157e308,
        "flag": True,
        "name": "é" * 100,
        "plain": "\U0001f9d7\u200d\u2640\ufe0f \u202eright to left\u202c",
        "body": "\u4e2d\u6587" * 5000,
        "moment": dt.datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        "clock": dt.datetime(9999, 12, 31, 23, 59, 59, 999999),
        "day": dt.date(9999, 12, 31),
        "time": dt.time(23, 59, 59, 999999),
        "span": dt.datetime(9999, 12, 31, 23, 59, 59, 999999) - EPOCH,
        "price": Decimal("99999999.99"),
        "rate": Decimal("999999999.999999"),
        "document": [],
        "verbatim": "text",
        "numbers": [-(2**63), 0, 2**63 - 1],
        "words": ["\U0001f600", "é", " "],
        "gaps": [],
        "status": Status.PUBLISHED,
        "token": uuid.UUID(int=2**128 - 1),
        "payload": b"\0" * 100_000,
    },
    "smallest": {
        "single": 1.401298464324817e-45,
        "double": 5e-324,
        "price": Decimal("0.01"),
        "rate": Decimal("0"),
        # SQLite takes a column of the type JSON for a numeric one and keeps such a document as a number.
        "document": 7,
        "verbatim": -0.5,
    },
    "nulls": {},
}

metadata = sa.MetaData()
samples = sa.Table(
    "samples",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("writer", sa.String, nullable=False),
    sa.Column("case", sa.String, nullable=False),
    *(sa.Column(name, type_) for name, type_ in COLUMNS.items()),
)


def expected(case, name):
    # A JSON null is a value; a column that is left out is NULL. Python has None for both.
    return CASES[case].get(name)


def same(name, found, wanted):
    if found is None or wanted is None:
        return found is wanted
    if name == "single":
        return struct.pack("f", found) == struct.pack("f", wanted)
    if name == "moment" and found.tzinfo is None:
        # SQLite has no zones: SQLAlchemy gives back what stands there.
        found = found.replace(tzinfo=UTC)
    return type(found) is type(wanted) and found == wanted


def write(connection, writer):
    for case, row in CASES.items():
        row = {name: sa.JSON.NULL if value is None else value for name, value in row.items()}
        connection.execute(samples.insert().values(writer=writer, case=case, **row))


def read(connection, writer):
    wrong = []
    rows = connection.execute(samples.select().where(samples.c.writer == writer)).mappings().all()
    if sorted(row["case"] for row in rows) != sorted(CASES):
        wrong.append(f"the cases {[row['case'] for row in rows]}, not {list(CASES)}")
    for row in rows:
        for name in COLUMNS:
            wanted = expected(row["case"], name)
            if not same(name, row[name], wanted):
                wrong.append(f"{row['case']}.{name} is {row[name]!r:.200}, not {wanted!r:.200}")
    # A JSON null and NULL are told apart by the database alone.
    for name in ("document", "verbatim"):
        if name in COLUMNS:
            nulls = sa.select(samples.c.case).where(samples.c.writer == writer, samples.c[name].is_(sa.null()))
            cases = sorted(connection.execute(nulls).scalars())
            if cases != ["nulls"]:
                wrong.append(f"{name} is NULL in {cases}")
    return wrong


def main(url, *commands):
    connect_args = {"options": "-c timezone=UTC"} if url.startswith("postgresql") else {}
    engine = sa.create_engine(url, connect_args=connect_args)
    with engine.begin() as connection:
        for command in commands:
            name, _, writer = command.partition("=")
            if name == "create":
                metadata.create_all(connection)
            elif name == "write":
                write(connection, writer)
            elif name == "read":
                wrong = read(connection, writer)
                if wrong:
                    sys.exit("\n".join(wrong))
            else:
                sys.exit(f"no such command: {command}")


if __name__ == "__main__":
    main(*sys.argv[1:])
