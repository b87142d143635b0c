-- Content as a document of blocks, in several languages, with what the team has thought about it.

ALTER TABLE template_version ADD COLUMN kind         TEXT   NOT NULL DEFAULT 'code';
ALTER TABLE template_version ADD COLUMN locale       TEXT   NOT NULL DEFAULT '';   -- of the main text
ALTER TABLE template_version ADD COLUMN document     TEXT   NOT NULL DEFAULT '';   -- JSON, of kind blocks
ALTER TABLE template_version ADD COLUMN translations TEXT   NOT NULL DEFAULT '[]'; -- JSON list
ALTER TABLE template_version ADD COLUMN purpose      TEXT   NOT NULL DEFAULT '{}'; -- JSON
ALTER TABLE template_version ADD COLUMN brand_rev    BIGINT NOT NULL DEFAULT 0;    -- what the version was made with; 0: the product's own look
