CREATE TABLE workspace (
    id             TEXT   NOT NULL PRIMARY KEY,
    name           TEXT   NOT NULL,
    timezone       TEXT   NOT NULL,
    currency       TEXT   NOT NULL,
    default_region TEXT   NOT NULL,
    locale         TEXT   NOT NULL,
    settings       TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL
);

CREATE TABLE source (
    workspace_id TEXT    NOT NULL,
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    write_key    TEXT    NOT NULL,
    disabled     BOOLEAN NOT NULL,
    created_at   BIGINT  NOT NULL,
    last_used    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX source_write_key ON source (write_key);
CREATE INDEX source_workspace ON source (workspace_id, id);

-- A user is one person with one password, whatever workspaces they are a member of; hence no workspace_id.
CREATE TABLE staff_user (
    id            TEXT   NOT NULL PRIMARY KEY,
    email         TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    locale        TEXT   NOT NULL,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    last_sign_in  BIGINT NOT NULL
);
CREATE UNIQUE INDEX staff_user_email ON staff_user (email);

CREATE TABLE staff_member (
    workspace_id TEXT   NOT NULL,
    user_id      TEXT   NOT NULL REFERENCES staff_user (id) ON DELETE CASCADE,
    role         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX staff_member_user ON staff_member (user_id);

CREATE TABLE staff_session (
    id           TEXT   NOT NULL PRIMARY KEY,
    token_hash   {blob} NOT NULL,
    user_id      TEXT   NOT NULL REFERENCES staff_user (id) ON DELETE CASCADE,
    workspace_id TEXT   NOT NULL,
    ip           TEXT   NOT NULL,
    user_agent   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX staff_session_token ON staff_session (token_hash);
CREATE INDEX staff_session_user ON staff_session (user_id, id);

-- Links that let somebody set a password: invitations and resets.
CREATE TABLE staff_link (
    token_hash   {blob} NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES staff_user (id) ON DELETE CASCADE,
    workspace_id TEXT   NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX staff_link_user ON staff_link (user_id);

CREATE TABLE staff_key (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL PRIMARY KEY,
    name         TEXT   NOT NULL,
    hint         TEXT   NOT NULL,
    secret_hash  {blob} NOT NULL,
    scopes       TEXT   NOT NULL,
    created_by   TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used    BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX staff_key_secret ON staff_key (secret_hash);
CREATE INDEX staff_key_workspace ON staff_key (workspace_id, id);

CREATE TABLE audit_log (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL PRIMARY KEY,
    at           BIGINT NOT NULL,
    actor_kind   TEXT   NOT NULL,
    actor_id     TEXT   NOT NULL,
    actor_name   TEXT   NOT NULL,
    action       TEXT   NOT NULL,
    noun         TEXT   NOT NULL,
    noun_id      TEXT   NOT NULL,
    detail       TEXT   NOT NULL,
    ip           TEXT   NOT NULL
);
CREATE INDEX audit_log_time ON audit_log (workspace_id, at, id);
CREATE INDEX audit_log_noun ON audit_log (workspace_id, noun, noun_id, at, id);
