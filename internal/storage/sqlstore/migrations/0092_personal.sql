-- What a person of staff has arranged for themselves: saved views, dismissed hints.

CREATE TABLE personal_setting (
    workspace_id TEXT   NOT NULL,
    owner_id     TEXT   NOT NULL, -- user or API key
    name         TEXT   NOT NULL,
    value        TEXT   NOT NULL, -- JSON
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, owner_id, name)
);
