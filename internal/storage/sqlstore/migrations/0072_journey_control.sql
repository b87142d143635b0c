-- People who are kept out of a journey to compare are watched beside those who are led.

ALTER TABLE journey_instance ADD COLUMN control BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX journey_instance_trying ON journey_instance (workspace_id, journey_id, id) WHERE status = 'active' AND attempts > 0;
