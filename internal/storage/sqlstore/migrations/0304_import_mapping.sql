-- What the columns of files tell, kept for the next file with the same columns. Until now each member of staff had their own.
CREATE TABLE import_mapping (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    name_key     TEXT   NOT NULL, -- the name in lower case
    header       TEXT   NOT NULL, -- hash of the columns, whatever their order
    columns      TEXT   NOT NULL, -- JSON
    plan         TEXT   NOT NULL, -- JSON
    said_by      TEXT   NOT NULL, -- name of who changed it last
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX import_mapping_name ON import_mapping (workspace_id, name_key);
CREATE INDEX import_mapping_latest ON import_mapping (workspace_id, updated_at, id);
DELETE FROM personal_setting WHERE name LIKE 'imports.%';

-- From where the evidence of suggestions came: sources and imports. suggestion_id is one of person_suggestion.
CREATE TABLE person_suggestion_source (
    workspace_id  TEXT NOT NULL,
    source        TEXT NOT NULL,
    suggestion_id TEXT NOT NULL,
    PRIMARY KEY (workspace_id, source, suggestion_id)
);
CREATE INDEX person_suggestion_source_of ON person_suggestion_source (workspace_id, suggestion_id);
