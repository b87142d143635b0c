-- What a refusal or a wait rests on, as data; who goes first under a cap; whether the message carries words of its own.

ALTER TABLE message ADD COLUMN data TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN body BOOLEAN NOT NULL DEFAULT FALSE;

-- What of somebody's messages is still on its way: whoever competes for a place under a cap.
CREATE INDEX message_competing ON message (workspace_id, person_id) WHERE state IN ('queued', 'claimed') AND transactional = FALSE;
