-- Decisions of staff that identifiers belong to different people.

CREATE TABLE person_apart (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    person       BIGINT NOT NULL, -- whom it was decided about
    split        BOOLEAN NOT NULL, -- one person was split
    note         TEXT   NOT NULL,
    decided_by   TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE person_apart_identifier (
    workspace_id TEXT   NOT NULL,
    apart_id     TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    value        TEXT   NOT NULL,
    side         BIGINT NOT NULL, -- 1 keeps the person's id, 2 does not
    PRIMARY KEY (workspace_id, apart_id, kind, value)
);
CREATE INDEX person_apart_identifier_value ON person_apart_identifier (workspace_id, kind, value);
