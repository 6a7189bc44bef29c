"""SQLAlchemy's half of the test `sqlalchemy.rs`.

    samples.py <url> create            makes the table `samples`
    samples.py <url> write <writer>    writes one row for each case, marked as written by <writer>
    samples.py <url> read <writer>     reads those rows and compares; says what differs and exits with 1

What each case holds is said twice, here and in `sqlalchemy.rs`, so that neither side can be wrong alone.
"""

import datetime as dt
import struct
import sys

import sqlalchemy as sa

UTC = dt.timezone.utc


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
}

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
    },
    "smallest": {
        "single": 1.401298464324817e-45,
        "double": 5e-324,
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
    return wrong


def main(url, command, writer=None):
    connect_args = {"options": "-c timezone=UTC"} if url.startswith("postgresql") else {}
    engine = sa.create_engine(url, connect_args=connect_args)
    with engine.begin() as connection:
        if command == "create":
            metadata.create_all(connection)
        elif command == "write":
            write(connection, writer)
        elif command == "read":
            wrong = read(connection, writer)
            if wrong:
                sys.exit("\n".join(wrong))
        else:
            sys.exit(f"no such command: {command}")


if __name__ == "__main__":
    main(*sys.argv[1:])
