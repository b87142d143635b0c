-- Workspaces that have come from another installation, and those that have gone to one.
CREATE TABLE workspace_move (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    move         TEXT   NOT NULL, -- the same in both installations
    name         TEXT   NOT NULL,
    moved_to     TEXT   NOT NULL, -- URL of the installation that it has gone to; empty: it has come here
    write_keys   TEXT   NOT NULL, -- JSON: of the sources that have gone with it
    moved_at     BIGINT NOT NULL
);
