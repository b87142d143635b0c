-- Consent: topics, what people said about them, and addresses that are never written to.

CREATE TABLE topic (
    workspace_id TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    name_key     TEXT    NOT NULL, -- lower case
    description  TEXT    NOT NULL,
    channels     TEXT    NOT NULL, -- JSON array of channel kinds
    opt_in       TEXT    NOT NULL,
    archived     BOOLEAN NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX topic_name ON topic (workspace_id, name_key);

-- The history; rows are only added.
CREATE TABLE consent_record (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    topic_id     TEXT   NOT NULL, -- '*' is every topic
    channel      TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    evidence     TEXT   NOT NULL,
    cause        TEXT   NOT NULL,
    said_at      BIGINT NOT NULL,
    recorded_at  BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX consent_record_person ON consent_record (workspace_id, person_id, said_at);

-- The latest statement of each person; what the gate reads.
CREATE TABLE consent_state (
    workspace_id TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    topic_id     TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    source       TEXT   NOT NULL,
    said_at      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, person_id, topic_id, channel)
);

CREATE TABLE suppression (
    workspace_id  TEXT   NOT NULL,
    channel       TEXT   NOT NULL,
    address_hash  TEXT   NOT NULL, -- keyed; the address itself is not kept
    hint          TEXT   NOT NULL,
    reason        TEXT   NOT NULL,
    detail        TEXT   NOT NULL,
    suppressed_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, channel, address_hash)
);
CREATE INDEX suppression_latest ON suppression (workspace_id, suppressed_at);

-- Outbox: every message to a person and every refusal to send one. Times are 0 until they happen.

CREATE TABLE message (
    id                TEXT    NOT NULL PRIMARY KEY,
    workspace_id      TEXT    NOT NULL,
    person_id         TEXT    NOT NULL,
    channel           TEXT    NOT NULL,
    topic_id          TEXT    NOT NULL,
    template_id       TEXT    NOT NULL,
    template_version  BIGINT  NOT NULL,
    source_kind       TEXT    NOT NULL,
    source_id         TEXT    NOT NULL,
    source_version    BIGINT  NOT NULL,
    node              TEXT    NOT NULL,
    idem_key          TEXT    NOT NULL,
    vars              TEXT    NOT NULL, -- JSON object or empty
    transactional     BOOLEAN NOT NULL,
    goal_event        TEXT    NOT NULL,
    goal_window       BIGINT  NOT NULL, -- microseconds
    address           TEXT    NOT NULL,
    subject           TEXT    NOT NULL,
    state             TEXT    NOT NULL,
    in_flight         BOOLEAN NOT NULL,
    owner             TEXT    NOT NULL, -- claim that holds it while claimed: a sender process, a dot, a number
    reason            TEXT    NOT NULL,
    detail            TEXT    NOT NULL,
    code              TEXT    NOT NULL,
    attempts          BIGINT  NOT NULL,
    uncertain         BIGINT  NOT NULL,
    created_at        BIGINT  NOT NULL,
    not_before        BIGINT  NOT NULL,
    due_at            BIGINT  NOT NULL,
    sent_at           BIGINT  NOT NULL,
    delivered_at      BIGINT  NOT NULL,
    bounced_at        BIGINT  NOT NULL,
    opened_at         BIGINT  NOT NULL,
    machine_opened_at BIGINT  NOT NULL,
    clicked_at        BIGINT  NOT NULL,
    converted_at      BIGINT  NOT NULL,
    unsubscribed_at   BIGINT  NOT NULL
);
CREATE UNIQUE INDEX message_key ON message (workspace_id, idem_key);
CREATE INDEX message_person ON message (workspace_id, person_id, id);
CREATE INDEX message_source ON message (workspace_id, source_kind, source_id, id);
CREATE INDEX message_waiting ON message (workspace_id, source_kind, source_id) WHERE state IN ('queued', 'claimed');
-- The queue, and what each sender holds of it.
CREATE INDEX message_due ON message (workspace_id, channel, transactional, due_at) WHERE state = 'queued';
CREATE INDEX message_claimed ON message (owner) WHERE state = 'claimed';

-- Sender processes; one whose lease has ended is dead and its messages are inherited.
CREATE TABLE message_owner (
    owner       TEXT   NOT NULL PRIMARY KEY,
    lease_until BIGINT NOT NULL
);

-- Goal events that some message waits for, so that other events cost nothing.
CREATE TABLE message_goal (
    workspace_id TEXT NOT NULL,
    event        TEXT NOT NULL,
    PRIMARY KEY (workspace_id, event)
);

CREATE TABLE message_conversion (
    workspace_id   TEXT   NOT NULL,
    credit_key     TEXT   NOT NULL, -- order id or message id of the event
    event_id       TEXT   NOT NULL,
    event          TEXT   NOT NULL,
    message_id     TEXT   NOT NULL,
    person_id      TEXT   NOT NULL,
    source_kind    TEXT   NOT NULL,
    source_id      TEXT   NOT NULL,
    source_version BIGINT NOT NULL,
    node           TEXT   NOT NULL,
    converted_at   BIGINT NOT NULL,
    revenue_minor  BIGINT NOT NULL,
    currency       TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, credit_key)
);
CREATE INDEX message_conversion_source ON message_conversion (workspace_id, source_kind, source_id);
CREATE INDEX message_conversion_message ON message_conversion (workspace_id, message_id);
CREATE INDEX message_conversion_person ON message_conversion (workspace_id, person_id);

-- Workspaces whose sending an operator has stopped.
CREATE TABLE sending_stop (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    stopped_at   BIGINT NOT NULL
);

CREATE TABLE channel_account (
    workspace_id    TEXT             NOT NULL,
    id              TEXT             NOT NULL,
    kind            TEXT             NOT NULL,
    name            TEXT             NOT NULL,
    config          {blob}           NOT NULL, -- sealed
    from_name       TEXT             NOT NULL,
    from_addr       TEXT             NOT NULL,
    reply_to        TEXT             NOT NULL,
    rate_per_second DOUBLE PRECISION NOT NULL,
    connections     BIGINT           NOT NULL,
    is_default      BOOLEAN          NOT NULL,
    status          TEXT             NOT NULL,
    created_at      BIGINT           NOT NULL,
    updated_at      BIGINT           NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
