-- The order that reached the goal of a round, so that what is given back for it can be found.
ALTER TABLE journey_instance ADD COLUMN goal_order TEXT NOT NULL DEFAULT '';
CREATE INDEX journey_instance_order ON journey_instance (workspace_id, goal_order) WHERE goal_order <> '';
