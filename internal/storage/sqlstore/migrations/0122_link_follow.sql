-- Links of messages that were followed, until it is known whether by a person.

CREATE TABLE link_follow (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL,
    message_id   TEXT    NOT NULL,
    url          TEXT    NOT NULL,
    trap         BOOLEAN NOT NULL,
    machine      BOOLEAN NOT NULL,
    agent        TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    followed_at  BIGINT  NOT NULL,
    settled      BOOLEAN NOT NULL
);
CREATE INDEX link_follow_message ON link_follow (workspace_id, message_id, followed_at);
CREATE INDEX link_follow_waiting ON link_follow (followed_at) WHERE settled = FALSE;
CREATE INDEX link_follow_old ON link_follow (followed_at) WHERE settled = TRUE;
