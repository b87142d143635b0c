-- Campaigns: a plan, approval, and an audience in waves, each with a time and a template of its own.

ALTER TABLE campaign ADD COLUMN plan TEXT NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE campaign ADD COLUMN requested_by TEXT NOT NULL DEFAULT '';
ALTER TABLE campaign ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
ALTER TABLE campaign ADD COLUMN result TEXT NOT NULL DEFAULT 'null'; -- JSON: how the A/B test ended

CREATE TABLE campaign_wave (
    workspace_id TEXT   NOT NULL,
    campaign_id  TEXT   NOT NULL,
    seq          BIGINT NOT NULL,
    due_at       BIGINT NOT NULL, -- 0: not known yet
    template     TEXT   NOT NULL, -- empty: the winner of the test
    node         TEXT   NOT NULL, -- variant
    size         BIGINT NOT NULL,
    handled      BIGINT NOT NULL,
    position     BIGINT NOT NULL, -- number of the last person handled
    PRIMARY KEY (campaign_id, seq)
);
INSERT INTO campaign_wave (workspace_id, campaign_id, seq, due_at, template, node, size, handled, position)
    SELECT workspace_id, id, 0, started_at, template, '', audience, handled, position FROM campaign WHERE started_at > 0;
ALTER TABLE campaign DROP COLUMN position;

CREATE TABLE campaign_wave_people (
    workspace_id TEXT   NOT NULL,
    campaign_id  TEXT   NOT NULL,
    wave         BIGINT NOT NULL,
    chunk        BIGINT NOT NULL, -- person numbers without their lowest 16 bits
    people       {blob} NOT NULL, -- roaring64 bitmap
    PRIMARY KEY (campaign_id, wave, chunk)
);
INSERT INTO campaign_wave_people (workspace_id, campaign_id, wave, chunk, people)
    SELECT workspace_id, campaign_id, 0, chunk, people FROM campaign_audience;
DROP TABLE campaign_audience;
