-- Users, streams, who watched, what was said. Both engines read this file: ids are UUIDs as text,
-- times are milliseconds since 1970 UTC, NULL where a thing has not happened.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    display_name  TEXT NOT NULL DEFAULT '',
    password_hash TEXT,
    role          TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'moderator', 'admin')),
    created_at    BIGINT NOT NULL
);

CREATE TABLE livestreams (
    id                TEXT PRIMARY KEY,
    user_id           TEXT REFERENCES users (id) ON DELETE CASCADE,
    room_id           TEXT NOT NULL,
    title             TEXT NOT NULL DEFAULT '',
    description       TEXT NOT NULL DEFAULT '',
    stream_key        TEXT UNIQUE,
    status            TEXT NOT NULL DEFAULT 'scheduled'
                      CHECK (status IN ('scheduled', 'live', 'ended')),
    interrupted       BOOLEAN NOT NULL DEFAULT FALSE, -- ended by a crash: may go on
    started_at        BIGINT,
    ended_at          BIGINT,
    viewer_count_peak BIGINT NOT NULL DEFAULT 0,
    recording_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    recording_url     TEXT,
    thumbnail_url     TEXT,
    created_at        BIGINT NOT NULL
);

CREATE INDEX livestreams_user_id ON livestreams (user_id, created_at);
CREATE INDEX livestreams_status ON livestreams (status, started_at);
CREATE INDEX livestreams_room_id ON livestreams (room_id);

CREATE TABLE livestream_viewers (
    id        TEXT PRIMARY KEY,
    stream_id TEXT NOT NULL REFERENCES livestreams (id) ON DELETE CASCADE,
    user_id   TEXT REFERENCES users (id) ON DELETE SET NULL, -- NULL: anonymous
    joined_at BIGINT NOT NULL,
    left_at   BIGINT -- NULL: still watching
);

CREATE INDEX livestream_viewers_stream_id ON livestream_viewers (stream_id, left_at);
CREATE INDEX livestream_viewers_user_id ON livestream_viewers (user_id);

CREATE TABLE livestream_chat (
    id         TEXT PRIMARY KEY,
    stream_id  TEXT NOT NULL REFERENCES livestreams (id) ON DELETE CASCADE,
    user_id    TEXT REFERENCES users (id) ON DELETE SET NULL, -- NULL: anonymous
    message    TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX livestream_chat_stream_id ON livestream_chat (stream_id, created_at);
CREATE INDEX livestream_chat_user_id ON livestream_chat (user_id);
