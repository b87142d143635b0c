-- What waits to be sent remembers how many journeys led to it one after the other, so that what follows from it counts on.

ALTER TABLE message ADD COLUMN hops BIGINT NOT NULL DEFAULT 0;
