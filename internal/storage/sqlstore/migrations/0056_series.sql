-- Series: campaigns that come again, their runs, and the items of feeds they have seen.

CREATE TABLE campaign_series (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    draft        TEXT   NOT NULL, -- JSON: what people fill in
    status       TEXT   NOT NULL,
    requested_by TEXT   NOT NULL,
    approved_by  TEXT   NOT NULL,
    active_since BIGINT NOT NULL,
    next_at      BIGINT NOT NULL, -- 0 unless live
    next_shown   TEXT   NOT NULL, -- what clocks show then
    retry_at     BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    error        TEXT   NOT NULL,
    seen         TEXT   NOT NULL, -- JSON: state of the feed
    runs         BIGINT NOT NULL,
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX campaign_series_due ON campaign_series (next_at) WHERE status = 'live';

CREATE TABLE campaign_run (
    workspace_id TEXT   NOT NULL,
    series_id    TEXT   NOT NULL,
    planned_at   BIGINT NOT NULL,
    state        TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    campaign_id  TEXT   NOT NULL,
    vars         TEXT   NOT NULL, -- JSON
    items        TEXT   NOT NULL, -- JSON
    ran_at       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, series_id, planned_at)
);
CREATE UNIQUE INDEX campaign_run_campaign ON campaign_run (workspace_id, campaign_id) WHERE campaign_id <> '';

CREATE TABLE campaign_item (
    workspace_id TEXT   NOT NULL,
    series_id    TEXT   NOT NULL,
    item_key     TEXT   NOT NULL,
    seen_at      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, series_id, item_key)
);
