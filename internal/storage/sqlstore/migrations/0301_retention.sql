-- How long events are kept, what removals have done, what is gone.
CREATE TABLE retention_policy (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    policy       TEXT NOT NULL -- JSON
);

CREATE TABLE retention_receipt (
    workspace_id TEXT NOT NULL,
    id           TEXT NOT NULL, -- of the job
    asked_by     TEXT NOT NULL,
    lines        TEXT NOT NULL, -- JSON
    rewritten    BOOLEAN NOT NULL,
    segments     BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX retention_receipt_time ON retention_receipt (workspace_id, finished_at, id);

CREATE TABLE retention_gone (
    workspace_id TEXT NOT NULL,
    type         TEXT NOT NULL,
    name         TEXT NOT NULL,
    before       BIGINT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, type, name)
);
