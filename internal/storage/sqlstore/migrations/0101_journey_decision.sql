-- How the A/B tests of journeys ended.

CREATE TABLE journey_decision (
    workspace_id TEXT   NOT NULL,
    journey_id   TEXT   NOT NULL,
    test         TEXT   NOT NULL, -- name
    detail       TEXT   NOT NULL, -- JSON
    decided_at   BIGINT NOT NULL,
    PRIMARY KEY (journey_id, test)
);
