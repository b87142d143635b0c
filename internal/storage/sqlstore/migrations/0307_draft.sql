-- What members of staff have written in an editor and not saved.
CREATE TABLE draft (
    workspace_id TEXT   NOT NULL,
    owner_id     TEXT   NOT NULL, -- a user or an API key
    kind         TEXT   NOT NULL,
    thing        TEXT   NOT NULL, -- id or key, "new" of what does not exist yet
    base         BIGINT NOT NULL, -- the revision of the thing that the owner has begun with
    document     TEXT   NOT NULL, -- JSON
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, owner_id, kind, thing)
);
CREATE INDEX draft_of ON draft (workspace_id, kind, thing, updated_at);
CREATE INDEX draft_age ON draft (updated_at);
