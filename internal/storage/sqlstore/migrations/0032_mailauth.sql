-- Domains that mail is sent from, and the keys that sign for them.

CREATE TABLE sending_domain (
    workspace_id TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL, -- lower case, in ASCII
    sign         BOOLEAN NOT NULL,
    report       TEXT    NOT NULL, -- JSON of the last check; empty: never checked
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX sending_domain_name ON sending_domain (workspace_id, name);

CREATE TABLE dkim_key (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    domain_id    TEXT   NOT NULL,
    selector     TEXT   NOT NULL,
    algorithm    TEXT   NOT NULL,
    public_key   TEXT   NOT NULL,
    private_key  {blob} NOT NULL, -- sealed
    status       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    active_at    BIGINT NOT NULL, -- 0: never
    retired_at   BIGINT NOT NULL, -- 0: not yet
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX dkim_key_domain ON dkim_key (workspace_id, domain_id);
