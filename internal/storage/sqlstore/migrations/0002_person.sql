-- People. redirect is the number of the person that this one was merged into (never a chain), 0 if none; redirect_seq the log
-- record that caused it. user_id is empty for people who were never identified. traits and facts are the folded state.
CREATE TABLE person (
    workspace_id TEXT    NOT NULL,
    num          BIGINT  NOT NULL,
    id           TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    redirect     BIGINT  NOT NULL DEFAULT 0,
    redirect_seq BIGINT  NOT NULL DEFAULT 0,
    first_seen   BIGINT  NOT NULL,
    last_seen    BIGINT  NOT NULL,
    created      BIGINT  NOT NULL,
    updated      BIGINT  NOT NULL,
    touch        BIGINT  NOT NULL,
    touch_msg    TEXT    NOT NULL,
    merges       BIGINT  NOT NULL,
    links        BIGINT  NOT NULL,
    best         BIGINT  NOT NULL,
    contested    BOOLEAN NOT NULL,
    search       TEXT    NOT NULL,
    traits       TEXT    NOT NULL,
    facts        TEXT    NOT NULL,
    PRIMARY KEY (workspace_id, num)
);
CREATE UNIQUE INDEX person_id ON person (workspace_id, id);
CREATE INDEX person_redirect ON person (workspace_id, redirect) WHERE redirect > 0;
CREATE INDEX person_redirect_seq ON person (redirect_seq) WHERE redirect_seq > 0;

-- The last number given out and the lock that serialises work on a workspace's people.
CREATE TABLE person_counter (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    last         BIGINT NOT NULL
);

-- Identifiers in normal form. person is the owner now, 0 if none; spans (JSON) says who owned it before, empty if nobody else did.
CREATE TABLE person_identifier (
    workspace_id TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    value        TEXT    NOT NULL,
    person       BIGINT  NOT NULL,
    first_seen   BIGINT  NOT NULL,
    last_seen    BIGINT  NOT NULL,
    last_msg     TEXT    NOT NULL,
    shared       BIGINT  NOT NULL,
    shared_msg   TEXT    NOT NULL,
    contested    BOOLEAN NOT NULL,
    source       TEXT    NOT NULL,
    spans        TEXT    NOT NULL,
    users        TEXT    NOT NULL,
    PRIMARY KEY (workspace_id, kind, value)
);
CREATE INDEX person_identifier_person ON person_identifier (workspace_id, person);

-- Messages that were applied, where they stood in the log and whom they went to: the guard against folding one twice.
CREATE TABLE event_seen (
    workspace_id TEXT   NOT NULL,
    message_id   TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    idx          BIGINT NOT NULL,
    person_num   BIGINT NOT NULL,
    day          BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
);
CREATE INDEX event_seen_day ON event_seen (day);

-- The identity log: every decision that made or refused to make people one.
CREATE TABLE person_decision (
    workspace_id TEXT   NOT NULL,
    person       BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    id           TEXT   NOT NULL,
    times        BIGINT NOT NULL,
    body         TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, person, at, id)
);

-- Components whose identity must be worked out again, and the outcomes that the event store has not confirmed yet.
CREATE TABLE person_task (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    seeds        TEXT   NOT NULL,
    created      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE TABLE person_effect (
    id           TEXT NOT NULL PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    body         TEXT NOT NULL
);
