-- What was recorded, while it is and afterwards. Files are in the storage under the recording's id.

CREATE TABLE recordings (
    id          TEXT PRIMARY KEY,
    stream_id   TEXT,          -- of livestreams; the recording outlives the row
    user_id     TEXT REFERENCES users (id) ON DELETE CASCADE,
    room_id     TEXT NOT NULL,
    title       TEXT NOT NULL DEFAULT '',
    kind        TEXT NOT NULL DEFAULT 'stream' CHECK (kind IN ('stream', 'clip')),
    status      TEXT NOT NULL DEFAULT 'recording'
                CHECK (status IN ('recording', 'processing', 'ready', 'failed')),
    visibility  TEXT NOT NULL DEFAULT 'unlisted'
                CHECK (visibility IN ('private', 'unlisted', 'public')),
    owner_hash  TEXT,          -- SHA-256 of the secret that may change it, hexadecimal
    started_at  BIGINT NOT NULL,
    ended_at    BIGINT,
    duration_ms BIGINT NOT NULL DEFAULT 0,
    size_bytes  BIGINT NOT NULL DEFAULT 0,
    failure     TEXT           -- why it failed, or ended early
);

CREATE INDEX recordings_room_id ON recordings (room_id, started_at);
CREATE INDEX recordings_status ON recordings (status, started_at);
CREATE INDEX recordings_user_id ON recordings (user_id, started_at);
