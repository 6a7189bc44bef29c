"""SQLAlchemy's ORM, told by lines of JSON what to do; answers each with the seconds that it took.

Only the library's own work is timed: reading the question and summing up what was read are not.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from time import perf_counter

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Integer, String, Table, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

url = sys.argv[1].replace("postgres://", "postgresql://").replace("postgresql://", "postgresql+psycopg://")
sqlite = url.startswith("sqlite")
Key = Integer if sqlite else BigInteger
EPOCH = datetime(1970, 1, 1, tzinfo=None if sqlite else timezone.utc)


class Base(DeclarativeBase):
    pass


post_tags = Table(
    "post_tags",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    email: Mapped[str] = mapped_column(String, unique=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    hashed_password: Mapped[str] = mapped_column(String)
    full_name: Mapped[str | None] = mapped_column(String)
    is_active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # The database deletes the posts, as it does for the others.
    posts: Mapped[list["Post"]] = relationship(back_populates="author", passive_deletes=True, cascade="all, delete")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    title: Mapped[str] = mapped_column(String)
    body: Mapped[str] = mapped_column(String)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User] = relationship(back_populates="posts")
    tags: Mapped[list["Tag"]] = relationship(secondary=post_tags, back_populates="posts")


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    posts: Mapped[list[Post]] = relationship(secondary=post_tags, back_populates="tags")


engine = create_engine(url)
if sqlite:

    @event.listens_for(engine, "connect")
    def settings(connection, _):
        for pragma in ["journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"]:
            connection.execute(f"PRAGMA {pragma}")


# Those who only read do it outside of a transaction, as the others do.
reading = engine.execution_options(isolation_level="AUTOCOMMIT")
MASK = (1 << 64) - 1


def text(s):
    return len(s) * 31 + (ord(s[-1]) if s else 0)


def micros(time):
    return (time.replace(tzinfo=None) - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def add(total, user):
    updated = micros(user.updated_at)
    row = (
        user.id
        + (text(user.email) << 3)
        + (text(user.username) << 7)
        + (text(user.hashed_password) << 11)
        + ((1 if user.full_name is None else text(user.full_name)) << 15)
        + (int(user.is_active) << 23)
        + micros(user.created_at)
        + ((updated << 9 | updated >> 55) & MASK)
    )
    return ((total << 1 | total >> 63) + row) & MASK


def add_post(total, post):
    tags = sum((tag.id << 5) + text(tag.name) for tag in post.tags)
    row = post.id + (text(post.title) << 5) + (text(post.body) << 9) + (post.author_id << 20) + (tags << 13)
    return (total + row * 0x9E3779B9) & MASK


def new(row):
    email, username, password, name, active, created, updated = row
    return dict(
        email=email,
        username=username,
        hashed_password=password,
        full_name=name,
        is_active=active,
        created_at=EPOCH + timedelta(microseconds=created),
        updated_at=EPOCH + timedelta(microseconds=updated),
    )


def summed(users, posts=False):
    total = 0
    for user in users:
        total = add(total, user)
        if posts:
            for post in user.posts:
                total = add_post(total, post)
    return total


def do_select(task):
    start = perf_counter()
    with Session(reading) as session:
        users = session.scalars(select(User).where(User.id <= task["n"]).order_by(User.id)).all()
        seconds = perf_counter() - start
        return seconds, summed(users), []


def do_get(task):
    start = perf_counter()
    with Session(reading) as session:
        users = [session.get(User, key) for key in task["ids"]]
        seconds = perf_counter() - start
        return seconds, summed(users), []


def do_insert(task):
    rows = [new(row) for row in task["users"]]
    start = perf_counter()
    with Session(engine, expire_on_commit=False) as session:
        users = [User(**row) for row in rows]
        session.add_all(users)
        session.commit()
    return perf_counter() - start, 0, [user.id for user in users]


def do_change(task):
    start = perf_counter()
    with Session(engine, expire_on_commit=False) as session:
        users = session.scalars(select(User).where(User.id <= task["n"]).order_by(User.id)).all()
        seconds = perf_counter() - start
        total = summed(users)
        start = perf_counter()
        for user in users:
            user.full_name = f"{task['name']}{user.id}"
        session.commit()
    return seconds + perf_counter() - start, total, []


def do_eager(task):
    start = perf_counter()
    with Session(reading) as session:
        query = select(User).where(User.id <= task["n"]).order_by(User.id)
        users = session.scalars(query.options(selectinload(User.posts).selectinload(Post.tags))).all()
        seconds = perf_counter() - start
        return seconds, summed(users, posts=True), []


def do_graph(task):
    rows = [(new(row), posts) for row, posts in task["users"]]
    start = perf_counter()
    with Session(engine, expire_on_commit=False) as session:
        tags = [Tag(name=name) for name in task["tags"]]
        users = []
        for row, posts in rows:
            its = [Post(title=title, body=body, tags=[tags[tag] for tag in of]) for title, body, of in posts]
            users.append(User(**row, posts=its))
        session.add_all(users)
        session.commit()
    return perf_counter() - start, 0, [user.id for user in users]


def do_delete(task):
    start = perf_counter()
    with Session(engine, expire_on_commit=False) as session:
        users = session.scalars(select(User).where(User.id > task["above"]).order_by(User.id)).all()
        seconds = perf_counter() - start
        total = summed(users)
        start = perf_counter()
        for user in users:
            session.delete(user)
        session.commit()
    return seconds + perf_counter() - start, total, []


for line in sys.stdin:
    task = json.loads(line)
    seconds, total, keys = globals()["do_" + task["work"]](task)
    print(json.dumps({"seconds": seconds, "sum": total, "keys": keys}), flush=True)
