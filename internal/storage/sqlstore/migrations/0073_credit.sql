-- What was credited in a period.

CREATE INDEX message_conversion_when ON message_conversion (workspace_id, converted_at);
