-- Reports: bounces for good and complaints of each message, and messages by the day they were meant to go.

ALTER TABLE message ADD COLUMN hard_bounced_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN complained_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX message_when ON message (workspace_id, not_before);

-- What people wrote beside a report: plan, result, what changes. Rows are only added; the latest is shown.
CREATE TABLE report_note (
    workspace_id TEXT   NOT NULL,
    subject      TEXT   NOT NULL, -- campaign:<id>, journey:<id>, report:<id>
    rev          BIGINT NOT NULL,
    note         TEXT   NOT NULL, -- JSON
    author       TEXT   NOT NULL, -- staff or key id
    written_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, subject, rev)
);

-- Reports that were saved under a name, to be found and shared by their id.
CREATE TABLE saved_report (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    report       TEXT   NOT NULL,
    params       TEXT   NOT NULL, -- JSON
    owner        TEXT   NOT NULL, -- staff or key id
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
