-- What comes back: how it reaches us, what it was, and what follows.

ALTER TABLE message ADD COLUMN replied_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN machine_clicked_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE account_inbound (
    workspace_id TEXT    NOT NULL,
    account_id   TEXT    NOT NULL,
    address      TEXT    NOT NULL, -- lower case, empty for none
    replies      BOOLEAN NOT NULL,
    mailbox      TEXT    NOT NULL, -- JSON, without the password
    password     {blob}  NOT NULL, -- sealed
    provider     TEXT    NOT NULL,
    topic        TEXT    NOT NULL,
    verify_key   TEXT    NOT NULL,
    hook_hash    TEXT    NOT NULL,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, account_id)
);
CREATE UNIQUE INDEX account_inbound_address ON account_inbound (address) WHERE address <> '';
CREATE UNIQUE INDEX account_inbound_hook ON account_inbound (hook_hash) WHERE hook_hash <> '';

CREATE TABLE mailbox_state (
    workspace_id TEXT   NOT NULL,
    account_id   TEXT   NOT NULL,
    validity     BIGINT NOT NULL,
    uid          BIGINT NOT NULL,
    read_at      BIGINT NOT NULL,
    error        TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, account_id)
);

CREATE TABLE returned_count (
    workspace_id TEXT   NOT NULL,
    account_id   TEXT   NOT NULL,
    taken        TEXT   NOT NULL,
    n            BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, account_id, taken)
);

CREATE TABLE account_alert (
    workspace_id TEXT    NOT NULL,
    account_id   TEXT    NOT NULL,
    code         TEXT    NOT NULL,
    n            BIGINT  NOT NULL,
    detail       TEXT    NOT NULL,
    raised_at    BIGINT  NOT NULL,
    paused       BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, account_id)
);

CREATE TABLE bounce_policy (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    policy       TEXT   NOT NULL,
    updated_at   BIGINT NOT NULL
);

CREATE TABLE bounce (
    workspace_id TEXT   NOT NULL,
    message_id   TEXT   NOT NULL,
    class        TEXT   NOT NULL,
    person_id    TEXT   NOT NULL,
    channel      TEXT   NOT NULL,
    code         TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    address_hash TEXT   NOT NULL, -- keyed, as in suppression
    hint         TEXT   NOT NULL,
    bounced_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, message_id, class)
);
CREATE INDEX bounce_latest ON bounce (workspace_id, bounced_at, message_id, class);
CREATE INDEX bounce_person ON bounce (workspace_id, person_id, bounced_at);
CREATE INDEX bounce_address ON bounce (workspace_id, address_hash, bounced_at);
