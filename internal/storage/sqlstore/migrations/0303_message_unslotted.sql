-- What went while there was no cap counts under one that is set afterwards. Empty where there always was one: then messages have a slot.
CREATE INDEX message_unslotted ON message (workspace_id, person_id, sent_at) WHERE slot_at = 0 AND sent_at > 0 AND transactional = FALSE;
