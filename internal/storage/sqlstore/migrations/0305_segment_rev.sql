-- Which state of a segment an editor has seen: grows with every change of name, description, rule or status.
ALTER TABLE segment ADD COLUMN rev BIGINT NOT NULL DEFAULT 1;
