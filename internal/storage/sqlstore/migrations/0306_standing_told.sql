-- When others were told of a judgement: what is told after it must not look older, whatever the clock says.
ALTER TABLE standing ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;
