-- What is on its way is known by when it ended, which is written once: its index entries no longer move each time a message is claimed or given back.
UPDATE message SET ended_at = created_at WHERE ended_at = 0 AND state NOT IN ('queued', 'claimed');
DROP INDEX message_waiting;
CREATE INDEX message_waiting ON message (workspace_id, source_kind, source_id) WHERE ended_at = 0;
DROP INDEX message_competing;
CREATE INDEX message_competing ON message (workspace_id, person_id) WHERE ended_at = 0 AND transactional = FALSE;
