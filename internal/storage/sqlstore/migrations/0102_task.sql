-- What people of staff are asked to do for customers.

CREATE TABLE task (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    task_key     TEXT   NOT NULL, -- what makes it one task
    title        TEXT   NOT NULL,
    note         TEXT   NOT NULL,
    person_id    TEXT   NOT NULL, -- empty: about nobody
    assignee     TEXT   NOT NULL,
    role         TEXT   NOT NULL,
    due_at       BIGINT NOT NULL, -- 0: no date
    origin       TEXT   NOT NULL, -- JSON
    status       TEXT   NOT NULL,
    outcome      TEXT   NOT NULL,
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL  -- 0 while open
);
CREATE UNIQUE INDEX task_key ON task (workspace_id, task_key);
CREATE INDEX task_list ON task (workspace_id, status, id);
CREATE INDEX task_person ON task (workspace_id, person_id, id);
