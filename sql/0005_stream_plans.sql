-- When a stream is to begin, and how many may watch it.

ALTER TABLE livestreams ADD COLUMN scheduled_at BIGINT; -- NULL: not said
ALTER TABLE livestreams ADD COLUMN viewer_limit BIGINT NOT NULL DEFAULT 0; -- 0: none

CREATE INDEX livestreams_scheduled_at ON livestreams (scheduled_at);
