-- People by when they were last seen, for lists narrowed to it.
CREATE INDEX person_last_seen ON person (workspace_id, last_seen) WHERE redirect = 0;
