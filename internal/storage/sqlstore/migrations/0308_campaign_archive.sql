-- When a campaign was put out of sight; 0: it is in sight.
ALTER TABLE campaign ADD COLUMN archived_at BIGINT NOT NULL DEFAULT 0;
