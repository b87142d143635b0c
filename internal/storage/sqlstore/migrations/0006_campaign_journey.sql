-- Journeys: the graph being edited, its published versions, the people inside, their paths, and counts.

CREATE TABLE journey (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL,
    name_key     TEXT, -- of a ready-made journey
    name         TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    draft        TEXT    NOT NULL, -- JSON
    published    BIGINT  NOT NULL,
    draining     BOOLEAN NOT NULL,
    rev          BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL
);
CREATE INDEX journey_workspace ON journey (workspace_id, id);
CREATE UNIQUE INDEX journey_key ON journey (workspace_id, name_key);

CREATE TABLE journey_version (
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    graph        TEXT   NOT NULL, -- JSON
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (journey_id, version)
);

CREATE TABLE journey_instance (
    id           TEXT   NOT NULL PRIMARY KEY,
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    person_id    TEXT   NOT NULL,
    entry_key    TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    node         TEXT   NOT NULL,
    arrived_at   BIGINT NOT NULL,
    entered_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL, -- 0 while inside
    due_at       BIGINT,          -- NULL: only an event wakes the person
    seq          BIGINT NOT NULL,
    memory       TEXT   NOT NULL, -- JSON
    why          TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    goal_at      BIGINT NOT NULL, -- 0: not reached
    goal         TEXT   NOT NULL, -- JSON, empty: not reached
    attempts     BIGINT NOT NULL,
    error        TEXT   NOT NULL,
    lease_owner  TEXT   NOT NULL,
    lease_until  BIGINT NOT NULL,
    rev          BIGINT NOT NULL
);
CREATE UNIQUE INDEX journey_instance_entry ON journey_instance (workspace_id, journey_id, entry_key);
-- Nobody is inside a journey twice.
CREATE UNIQUE INDEX journey_instance_inside ON journey_instance (workspace_id, journey_id, person_id) WHERE status IN ('active', 'parked');
CREATE INDEX journey_instance_due ON journey_instance (journey_id, due_at) WHERE status = 'active';
CREATE INDEX journey_instance_person ON journey_instance (workspace_id, person_id, journey_id, entered_at);
CREATE INDEX journey_instance_node ON journey_instance (workspace_id, journey_id, node, id);
CREATE INDEX journey_instance_parked ON journey_instance (workspace_id, journey_id, id) WHERE status = 'parked';

CREATE TABLE journey_step (
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    instance_id  TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    node         TEXT   NOT NULL,
    kind         TEXT   NOT NULL,
    arrived_at   BIGINT NOT NULL,
    left_at      BIGINT NOT NULL,
    output       TEXT   NOT NULL,
    why          TEXT   NOT NULL, -- with which the journey ended here, else empty
    reason       TEXT   NOT NULL,
    message_id   TEXT   NOT NULL,
    refused      TEXT   NOT NULL, -- code with which the message was refused, else empty
    PRIMARY KEY (instance_id, seq)
);
CREATE INDEX journey_step_node ON journey_step (workspace_id, journey_id, node, instance_id, seq);
CREATE INDEX journey_step_person ON journey_step (workspace_id, person_id);

CREATE TABLE journey_count (
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    node         TEXT   NOT NULL, -- empty: the journey as a whole
    what         TEXT   NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (journey_id, version, node, what)
);

-- Campaigns: one message to an audience that is fixed when sending begins.

CREATE TABLE campaign (
    id           TEXT    NOT NULL PRIMARY KEY,
    workspace_id TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    include      TEXT    NOT NULL, -- JSON array of segment and list ids
    exclude      TEXT    NOT NULL,
    topic        TEXT    NOT NULL,
    template     TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    goal         TEXT    NOT NULL, -- JSON
    status       TEXT    NOT NULL,
    scheduled_at BIGINT  NOT NULL, -- 0: at once
    started_at   BIGINT  NOT NULL,
    finished_at  BIGINT  NOT NULL,
    audience     BIGINT  NOT NULL,
    handled      BIGINT  NOT NULL, -- of the audience, those walked past
    queued       BIGINT  NOT NULL,
    refused      TEXT    NOT NULL, -- JSON object: reason -> people
    position     BIGINT  NOT NULL, -- number of the last person handled
    paused_from  TEXT    NOT NULL, -- status to go on with
    attempts     BIGINT  NOT NULL,
    retry_at     BIGINT  NOT NULL,
    error        TEXT    NOT NULL,
    rev          BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL
);
CREATE INDEX campaign_workspace ON campaign (workspace_id, id);
CREATE INDEX campaign_status ON campaign (status);

CREATE TABLE campaign_audience (
    workspace_id TEXT   NOT NULL,
    campaign_id  TEXT   NOT NULL,
    chunk        BIGINT NOT NULL, -- person numbers without their lowest 16 bits
    people       {blob} NOT NULL, -- roaring64 bitmap
    PRIMARY KEY (campaign_id, chunk)
);
