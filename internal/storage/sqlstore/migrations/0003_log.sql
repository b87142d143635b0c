-- Internal events wait here, in the transaction that caused them, until the relay has put them on the log.
CREATE TABLE pending_event (
    id           TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    payload      TEXT NOT NULL
);

-- How far a consumer has read the log. Consumers serve all workspaces.
CREATE TABLE log_position (
    consumer TEXT   NOT NULL PRIMARY KEY,
    seq      BIGINT NOT NULL
);
