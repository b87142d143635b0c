-- What intake keeps of events.
CREATE TABLE privacy_rules (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    rules        TEXT NOT NULL -- JSON
);
