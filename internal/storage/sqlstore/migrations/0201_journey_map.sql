-- Journey maps: how a team imagines that customers come.

CREATE TABLE journey_map (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    persona_id   TEXT   NOT NULL, -- empty: none
    segment_id   TEXT   NOT NULL, -- empty: none
    draft        TEXT   NOT NULL, -- JSON
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
