-- How fast an account may go: throttles by recipients' domains and a warm-up, with what they have counted.

ALTER TABLE channel_account ADD COLUMN pace TEXT NOT NULL DEFAULT ''; -- JSON

CREATE TABLE sending_window (
    workspace_id TEXT   NOT NULL,
    account_id   TEXT   NOT NULL,
    bucket       TEXT   NOT NULL, -- a throttle's name, counted by the minute, or 'warm_up', by the day
    window_at    BIGINT NOT NULL, -- its beginning; in the future: places given to messages that wait
    used         BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, account_id, bucket, window_at)
);
