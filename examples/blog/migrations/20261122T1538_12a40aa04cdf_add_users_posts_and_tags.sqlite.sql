-- Add users, posts and tags
-- limbeck: revision=12a40aa04cdf revises= created=2026-11-22T15:38:24Z database=sqlite

-- limbeck: upgrade
-- step 1: create table tags
CREATE TABLE tags (
    id INTEGER NOT NULL,
    name VARCHAR(50) NOT NULL,
    CONSTRAINT pk_tags PRIMARY KEY (id),
    CONSTRAINT uq_tags_name UNIQUE (name)
);

-- step 2: create table users
CREATE TABLE users (
    id INTEGER NOT NULL,
    email VARCHAR(254) NOT NULL,
    username VARCHAR(100) NOT NULL,
    hashed_password VARCHAR NOT NULL,
    full_name VARCHAR,
    is_active BOOLEAN NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email),
    CONSTRAINT uq_users_username UNIQUE (username)
);

-- step 3: create table posts
CREATE TABLE posts (
    id INTEGER NOT NULL,
    title VARCHAR(200) NOT NULL,
    body TEXT NOT NULL,
    views INTEGER DEFAULT 0 NOT NULL,
    published_on TEXT,
    author_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT pk_posts PRIMARY KEY (id),
    CONSTRAINT fk_posts_author_id_users FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_posts_author_id ON posts (author_id);

-- step 4: create table post_tags
CREATE TABLE post_tags (
    post_id INTEGER NOT NULL,
    tag_id INTEGER NOT NULL,
    CONSTRAINT pk_post_tags PRIMARY KEY (post_id, tag_id),
    CONSTRAINT fk_post_tags_post_id_posts FOREIGN KEY (post_id) REFERENCES posts (id) ON DELETE CASCADE,
    CONSTRAINT fk_post_tags_tag_id_tags FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE
);
CREATE INDEX ix_post_tags_tag_id ON post_tags (tag_id);

-- limbeck: downgrade      (loses data: post_tags, posts, users, tags)
-- step 1: drop table post_tags
DROP TABLE post_tags;

-- step 2: drop table posts
DROP TABLE posts;

-- step 3: drop table users
DROP TABLE users;

-- step 4: drop table tags
DROP TABLE tags;
