-- Who saved a version, by id: two people may have one name. Empty of versions from before.
ALTER TABLE thing_version ADD COLUMN saver_id TEXT NOT NULL DEFAULT '';
