-- The last finished backup of this installation, at most one row. One that was restored or has moved here has none yet.
CREATE TABLE backup (
    made_at BIGINT NOT NULL PRIMARY KEY, -- the moment that it holds
    host    TEXT   NOT NULL,             -- whose folder it is
    folder  TEXT   NOT NULL
);
