-- What waits to be sent remembers whose trace it belongs to: a W3C traceparent, empty for what is not traced.

ALTER TABLE message ADD COLUMN trace TEXT NOT NULL DEFAULT '';
ALTER TABLE hook_delivery ADD COLUMN trace TEXT NOT NULL DEFAULT '';
