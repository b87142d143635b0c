-- Content: templates and their versions.

CREATE TABLE template (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    product_key  TEXT   NOT NULL, -- of templates that the product makes itself, else empty
    channel      TEXT   NOT NULL,
    status       TEXT   NOT NULL,
    version      BIGINT NOT NULL, -- the current one
    name_fold    TEXT   NOT NULL, -- of the current version, lower case, for searching
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX template_product_key ON template (workspace_id, product_key) WHERE product_key <> '';
CREATE INDEX template_created ON template (workspace_id, created_at, id);

-- Rows are only added: messages name the version they were made with.
CREATE TABLE template_version (
    workspace_id      TEXT   NOT NULL,
    template_id       TEXT   NOT NULL,
    version           BIGINT NOT NULL,
    name              TEXT   NOT NULL,
    subject           TEXT   NOT NULL,
    preheader         TEXT   NOT NULL,
    html              TEXT   NOT NULL,
    body_text         TEXT   NOT NULL,
    from_name         TEXT   NOT NULL,
    reply_to          TEXT   NOT NULL,
    value_proposition TEXT   NOT NULL,
    saved_at          BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, template_id, version)
);
