-- The kinds of identifiers that a workspace has chosen.

CREATE TABLE identity_scheme (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    version      BIGINT NOT NULL,
    kinds        TEXT   NOT NULL, -- JSON, highest priority first
    changed_at   BIGINT NOT NULL,
    changed_by   TEXT   NOT NULL
);
