-- What operators let workspaces use, and what those used on each day.
CREATE TABLE quota (
    workspace_id TEXT NOT NULL PRIMARY KEY,
    limits       TEXT NOT NULL -- JSON: those that differ from the installation's
);

CREATE TABLE quota_use (
    workspace_id     TEXT NOT NULL,
    day              BIGINT NOT NULL, -- days since 1970, UTC
    events           BIGINT NOT NULL,
    refused          BIGINT NOT NULL,
    requests         BIGINT NOT NULL,
    requests_refused BIGINT NOT NULL,
    messages         BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, day)
);
CREATE INDEX quota_use_day ON quota_use (day);
