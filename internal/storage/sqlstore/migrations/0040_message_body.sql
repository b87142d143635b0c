-- Messages with words of their own and files: sealed, apart from the queue, forgotten some days after they have gone.

CREATE TABLE message_body (
    workspace_id TEXT   NOT NULL,
    message_id   TEXT   NOT NULL,
    sealed       {blob} NOT NULL,
    PRIMARY KEY (workspace_id, message_id)
);

ALTER TABLE message ADD COLUMN given BOOLEAN NOT NULL DEFAULT FALSE; -- the address was named by the asker
ALTER TABLE message ADD COLUMN print TEXT NOT NULL DEFAULT '';      -- digest of what was asked
ALTER TABLE message ADD COLUMN ended_at BIGINT NOT NULL DEFAULT 0;  -- when it reached its final state
