-- Double opt-in, which words somebody agreed to and from where, and what people want beside topics.

ALTER TABLE topic ADD COLUMN confirmation TEXT NOT NULL DEFAULT '';  -- template of the mail that asks to confirm
ALTER TABLE topic ADD COLUMN text_version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE consent_record ADD COLUMN ip TEXT NOT NULL DEFAULT '';   -- shortened to its network
ALTER TABLE consent_record ADD COLUMN text_version BIGINT NOT NULL DEFAULT 0;

CREATE TABLE consent_settings (
    workspace_id TEXT    NOT NULL,
    person_id    TEXT    NOT NULL,
    paused_until BIGINT  NOT NULL,
    weekly       BOOLEAN NOT NULL,
    PRIMARY KEY (workspace_id, person_id)
);
