-- Brand kits and snippets, and what each version of a template was made with.

CREATE TABLE brand_revision (
    workspace_id TEXT   NOT NULL,
    revision     BIGINT NOT NULL,
    body         TEXT   NOT NULL, -- JSON
    saved_at     BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, revision)
);

CREATE TABLE snippet (
    workspace_id TEXT   NOT NULL,
    snippet_key  TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    version      BIGINT NOT NULL, -- the current one
    name_fold    TEXT   NOT NULL, -- key and name of the current version, lower case, for searching
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, snippet_key)
);

-- Rows are only added: versions of templates name the versions they were made with.
CREATE TABLE snippet_version (
    workspace_id TEXT   NOT NULL,
    snippet_key  TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    description  TEXT   NOT NULL,
    locale       TEXT   NOT NULL,
    blocks       TEXT   NOT NULL, -- JSON list
    translations TEXT   NOT NULL, -- JSON list
    saved_at     BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, snippet_key, version)
);

ALTER TABLE template_version ADD COLUMN snippets TEXT NOT NULL DEFAULT '{}'; -- JSON: version by key

-- What the current versions of templates use.
CREATE TABLE template_snippet (
    workspace_id TEXT NOT NULL,
    snippet_key  TEXT NOT NULL,
    template_id  TEXT NOT NULL,
    PRIMARY KEY (workspace_id, snippet_key, template_id)
);
CREATE INDEX template_snippet_template ON template_snippet (workspace_id, template_id);
