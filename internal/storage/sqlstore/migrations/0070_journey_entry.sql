-- What brings people into journeys besides events: appointments, schedules, additions by staff and programs, and waiting for a place.

ALTER TABLE journey_instance ADD COLUMN live_key TEXT NOT NULL DEFAULT ''; -- tells rounds of one person that run side by side apart
DROP INDEX journey_instance_inside;
CREATE UNIQUE INDEX journey_instance_inside ON journey_instance (workspace_id, journey_id, person_id, live_key) WHERE status IN ('active', 'parked');

CREATE TABLE journey_entry (
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    slot         TEXT   NOT NULL, -- an appointment has one for each person
    person_id    TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    entry_key    TEXT   NOT NULL,
    live_key     TEXT   NOT NULL,
    due_at       BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    cause        TEXT   NOT NULL, -- JSON of the trigger
    basis        TEXT   NOT NULL, -- what an appointment was made from
    attempts     BIGINT NOT NULL,
    error        TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, journey_id, slot)
);
CREATE INDEX journey_entry_due ON journey_entry (workspace_id, journey_id, due_at, slot);
CREATE INDEX journey_entry_person ON journey_entry (workspace_id, person_id);

CREATE TABLE journey_refusal (
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    entry_key    TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, journey_id, entry_key)
);
CREATE INDEX journey_refusal_at ON journey_refusal (workspace_id, journey_id, at, entry_key);
CREATE INDEX journey_refusal_person ON journey_refusal (workspace_id, person_id);

CREATE TABLE journey_task (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    position     TEXT   NOT NULL, -- behind the last one handled
    total        BIGINT NOT NULL,
    done         BIGINT NOT NULL,
    data         TEXT   NOT NULL, -- JSON
    error        TEXT   NOT NULL,
    attempts     BIGINT NOT NULL,
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL
);
CREATE INDEX journey_task_due ON journey_task (due_at) WHERE status = 'running';
CREATE INDEX journey_task_journey ON journey_task (workspace_id, journey_id, created_at, id);
