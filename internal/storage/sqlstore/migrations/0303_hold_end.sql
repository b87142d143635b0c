-- Which suppressions of people have come to their end.
CREATE INDEX person_hold_until ON person_hold (until_at) WHERE until_at > 0;
