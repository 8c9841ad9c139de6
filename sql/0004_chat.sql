-- Chat belongs to a room, also before its stream is on the air and after; the table of before knew only streams.

CREATE TABLE chat_messages_new (
    id           TEXT PRIMARY KEY,      -- UUID version 7: grows with time
    room_id      TEXT NOT NULL,
    stream_id    TEXT REFERENCES livestreams (id) ON DELETE CASCADE, -- that was live then
    user_id      TEXT REFERENCES users (id) ON DELETE SET NULL,      -- NULL: a guest
    author_id    TEXT NOT NULL,
    display_name TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('viewer', 'moderator', 'broadcaster', 'admin')),
    message      TEXT NOT NULL,
    reply_to     TEXT,                  -- id of a message, which may be gone
    created_at   BIGINT NOT NULL,
    deleted_at   BIGINT,                -- taken away; kept for who looks into complaints
    deleted_by   TEXT                   -- author_id of who did
);

INSERT INTO chat_messages_new (id, room_id, stream_id, user_id, author_id, display_name, role, message, created_at)
    SELECT c.id, l.room_id, c.stream_id, c.user_id, COALESCE(c.user_id, ''), COALESCE(u.display_name, ''), 'viewer',
           c.message, c.created_at
    FROM livestream_chat c JOIN livestreams l ON l.id = c.stream_id LEFT JOIN users u ON u.id = c.user_id;

DROP TABLE livestream_chat;
ALTER TABLE chat_messages_new RENAME TO livestream_chat;

CREATE INDEX livestream_chat_stream_id ON livestream_chat (stream_id, created_at);
CREATE INDEX livestream_chat_user_id ON livestream_chat (user_id);
CREATE INDEX livestream_chat_room_id ON livestream_chat (room_id, id);

CREATE TABLE chat_bans (
    room_id      TEXT NOT NULL,
    author_id    TEXT NOT NULL,
    address      TEXT NOT NULL DEFAULT '', -- of a guest, hashed; empty: not held against it
    display_name TEXT NOT NULL DEFAULT '',
    reason       TEXT NOT NULL DEFAULT '',
    banned_by    TEXT NOT NULL,            -- author_id
    created_at   BIGINT NOT NULL,
    until        BIGINT,                   -- NULL: for good
    PRIMARY KEY (room_id, author_id)
);

CREATE TABLE chat_moderators (
    room_id    TEXT NOT NULL,
    author_id  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (room_id, author_id)
);

CREATE TABLE chat_settings (
    room_id   TEXT PRIMARY KEY,
    slow_mode BIGINT NOT NULL DEFAULT 0,     -- seconds
    links     BOOLEAN NOT NULL DEFAULT TRUE,
    words     TEXT NOT NULL DEFAULT ''       -- one a line
);
