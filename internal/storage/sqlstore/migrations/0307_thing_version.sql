-- What segments, campaigns and series said each time that somebody saved them.
CREATE TABLE thing_version (
    workspace_id TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    thing        TEXT   NOT NULL,
    number       BIGINT NOT NULL, -- the revision of the thing
    document     TEXT   NOT NULL, -- JSON
    saved_by     TEXT   NOT NULL, -- name
    saved_at     BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, kind, thing, number)
);
