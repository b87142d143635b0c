-- Events and requests that intake refused, kept for a few days so that their sender can find out why.
CREATE TABLE rejection (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    time         BIGINT NOT NULL,
    idx          BIGINT NOT NULL,
    message_id   TEXT   NOT NULL,
    type         TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    code         TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX rejection_time ON rejection (time);
