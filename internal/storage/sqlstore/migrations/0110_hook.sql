-- Webhooks: addresses that are told of events, and what was sent to them.

CREATE TABLE hook_endpoint (
    workspace_id  TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    url           TEXT   NOT NULL,
    kinds         TEXT   NOT NULL, -- JSON
    secret        {blob} NOT NULL, -- sealed
    old_secret    {blob} NOT NULL, -- sealed; empty for none
    old_until     BIGINT NOT NULL,
    status        TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    failing_since BIGINT NOT NULL,
    failures      BIGINT NOT NULL,
    rest_until    BIGINT NOT NULL,
    last_error    TEXT   NOT NULL,
    succeeded_at  BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE hook_delivery (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    endpoint_id  TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    event_id     TEXT   NOT NULL,
    body         TEXT   NOT NULL, -- JSON
    state        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    queued_at    BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    status       BIGINT NOT NULL, -- of HTTP; 0: no answer
    answer       TEXT   NOT NULL,
    error        TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    took         BIGINT NOT NULL, -- microseconds
    ended_at     BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX hook_delivery_event ON hook_delivery (workspace_id, endpoint_id, event_id);
CREATE INDEX hook_delivery_latest ON hook_delivery (workspace_id, endpoint_id, created_at, id);
CREATE INDEX hook_delivery_due ON hook_delivery (workspace_id, endpoint_id, due_at) WHERE state = 'waiting';
CREATE INDEX hook_delivery_old ON hook_delivery (created_at) WHERE state <> 'waiting';
