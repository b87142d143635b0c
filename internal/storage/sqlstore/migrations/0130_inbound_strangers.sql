-- Whether mail of unknown senders makes people of them.

ALTER TABLE account_inbound ADD COLUMN strangers BOOLEAN NOT NULL DEFAULT FALSE;
