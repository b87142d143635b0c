-- What the product has made as sample data, so that it can take it away again. A thing of the user is never marked.

CREATE TABLE sample_mark (
    workspace_id TEXT NOT NULL,
    noun         TEXT NOT NULL,
    id           TEXT NOT NULL,
    PRIMARY KEY (workspace_id, noun, id)
);
