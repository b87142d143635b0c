-- The gate: what a workspace allows itself (quiet hours, caps, holdout), and when each message took its place under the caps.

CREATE TABLE sending_policy (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    policy       TEXT   NOT NULL, -- JSON
    updated_at   BIGINT NOT NULL
);

ALTER TABLE message ADD COLUMN slot_at BIGINT NOT NULL DEFAULT 0; -- 0: counts under no cap
CREATE INDEX message_slot ON message (workspace_id, person_id, slot_at) WHERE slot_at > 0;
