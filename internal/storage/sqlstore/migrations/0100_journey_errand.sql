-- What journeys do outside of the transaction: calls of webhooks, changes of lists; and the secrets that calls send.

CREATE TABLE journey_errand (
    id           TEXT   NOT NULL PRIMARY KEY, -- instance, node and visit
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    instance_id  TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    node         TEXT   NOT NULL,
    want         TEXT   NOT NULL, -- JSON
    status       TEXT   NOT NULL,
    tries        BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    lease_owner  TEXT   NOT NULL,
    lease_until  BIGINT NOT NULL,
    answer       TEXT   NOT NULL, -- JSON, empty: none yet
    excerpt      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL  -- 0 while waiting
);
CREATE INDEX journey_errand_due ON journey_errand (due_at, journey_id) WHERE status = 'waiting';
CREATE INDEX journey_errand_place ON journey_errand (workspace_id, journey_id, due_at) WHERE status = 'waiting';
CREATE INDEX journey_errand_instance ON journey_errand (workspace_id, instance_id, created_at);
CREATE INDEX journey_errand_person ON journey_errand (workspace_id, person_id);
CREATE INDEX journey_errand_ended ON journey_errand (ended_at) WHERE status <> 'waiting';

CREATE TABLE journey_secret (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    sealed       TEXT   NOT NULL, -- base64
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX journey_secret_workspace ON journey_secret (workspace_id, id);
