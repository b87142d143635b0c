-- People who are not written to, whatever addresses they have; the message that a statement was made by; who held a suppressed address.

CREATE TABLE person_hold (
    workspace_id TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    person_id    TEXT    NOT NULL,
    ground       TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    stops_all    BOOLEAN NOT NULL, -- also what answers something they do
    actor        TEXT    NOT NULL,
    actor_name   TEXT    NOT NULL,
    made_at      BIGINT  NOT NULL,
    until_at     BIGINT  NOT NULL, -- 0: until it is lifted
    marks        TEXT    NOT NULL, -- JSON; keyed hashes of the identifiers it was laid on
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX person_hold_person ON person_hold (workspace_id, person_id);

ALTER TABLE suppression ADD COLUMN person_id TEXT NOT NULL DEFAULT '';
ALTER TABLE consent_record ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
