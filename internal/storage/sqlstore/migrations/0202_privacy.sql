CREATE TABLE privacy_request (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    idem_key     TEXT   NOT NULL,
    person_id    TEXT   NOT NULL, -- empty once it is not known any more
    mode         TEXT   NOT NULL,
    by_kind      TEXT   NOT NULL,
    by_id        TEXT   NOT NULL,
    by_name      TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    step         BIGINT NOT NULL,
    plan         {blob} NOT NULL, -- sealed; empty once it is not known any more
    counts       TEXT   NOT NULL, -- JSON
    proofs       TEXT   NOT NULL, -- JSON: keyed hashes
    caveats      TEXT   NOT NULL, -- JSON
    error        TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL, -- 0: not yet
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX privacy_request_key ON privacy_request (workspace_id, idem_key) WHERE idem_key <> '';
CREATE UNIQUE INDEX privacy_request_person ON privacy_request (workspace_id, person_id) WHERE person_id <> '';
CREATE INDEX privacy_request_open ON privacy_request (id) WHERE state <> 'done';

CREATE TABLE privacy_proof (
    workspace_id TEXT NOT NULL,
    hash         TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    PRIMARY KEY (workspace_id, hash, request_id)
);

CREATE TABLE privacy_refusal (
    workspace_id TEXT    NOT NULL,
    hash         TEXT    NOT NULL, -- keyed; the identifier itself is not kept
    kind         TEXT    NOT NULL,
    request_id   TEXT    NOT NULL,
    held         BOOLEAN NOT NULL, -- only while the request is worked on
    created_at   BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, hash)
);
CREATE INDEX privacy_refusal_latest ON privacy_refusal (workspace_id, created_at, hash);

CREATE TABLE privacy_version (
    name TEXT   NOT NULL PRIMARY KEY,
    n    BIGINT NOT NULL
);
