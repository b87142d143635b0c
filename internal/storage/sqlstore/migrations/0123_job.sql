-- Long work that people have started.

CREATE TABLE job (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    job_key      TEXT   NOT NULL, -- what makes it one job
    title        TEXT   NOT NULL,
    actor        TEXT   NOT NULL,
    actor_name   TEXT   NOT NULL,
    params       TEXT   NOT NULL, -- JSON
    state        TEXT   NOT NULL,
    done         BIGINT NOT NULL,
    total        BIGINT NOT NULL, -- 0: not known
    figures      TEXT   NOT NULL, -- JSON
    mark         TEXT   NOT NULL, -- JSON; from where the work goes on
    files        TEXT   NOT NULL, -- JSON
    code         TEXT   NOT NULL,
    error        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    cancelled    TEXT   NOT NULL, -- who asked for its end
    created_at   BIGINT NOT NULL,
    started_at   BIGINT NOT NULL, -- 0 while queued
    updated_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL, -- 0 until over
    not_before   BIGINT NOT NULL,
    lease        TEXT   NOT NULL,
    lease_until  BIGINT NOT NULL
);
CREATE UNIQUE INDEX job_key ON job (workspace_id, job_key);
CREATE INDEX job_list ON job (workspace_id, id);
CREATE INDEX job_open ON job (state, not_before) WHERE ended_at = 0;
CREATE INDEX job_ended ON job (ended_at);
