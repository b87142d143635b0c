-- Personas: archetypes that stand for a segment.

CREATE TABLE persona (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    name_key     TEXT   NOT NULL, -- the name in lower case
    search       TEXT   NOT NULL, -- name and role in lower case
    segment_id   TEXT   NOT NULL, -- empty: none
    draft        TEXT   NOT NULL, -- JSON
    picture      {blob} NOT NULL, -- empty: initials
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX persona_name ON persona (workspace_id, name_key);
