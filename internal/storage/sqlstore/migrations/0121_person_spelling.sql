-- Addresses that come as hashes. A workspace has a row here once it got its first one; done tells whether the hashes of what was known before
-- are all in person_spelling. That table is kept only for such workspaces.
CREATE TABLE person_hashing (
    workspace_id TEXT    NOT NULL PRIMARY KEY,
    after_kind   TEXT    NOT NULL,
    after_value  TEXT    NOT NULL,
    done         BOOLEAN NOT NULL
);
CREATE TABLE person_spelling (
    workspace_id TEXT NOT NULL,
    kind         TEXT NOT NULL,
    hash         TEXT NOT NULL,
    value        TEXT NOT NULL,
    PRIMARY KEY (workspace_id, kind, hash)
);
CREATE INDEX person_spelling_value ON person_spelling (workspace_id, kind, value);
