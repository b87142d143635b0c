-- Segments and lists: what they are, who is in them, when time alone changes that.

CREATE TABLE segment (
  workspace_id   TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  name_key       TEXT    NOT NULL, -- folded, for comparing
  description    TEXT    NOT NULL,
  rule           TEXT    NOT NULL, -- JSON, never queried
  rule_version   BIGINT  NOT NULL,
  status         TEXT    NOT NULL,
  state          TEXT    NOT NULL,
  failure        TEXT    NOT NULL,
  progress_done  BIGINT  NOT NULL,
  progress_total BIGINT  NOT NULL,
  size           BIGINT  NOT NULL,
  version        BIGINT  NOT NULL,
  created_at     BIGINT  NOT NULL,
  updated_at     BIGINT  NOT NULL,
  evaluated_at   BIGINT  NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX segment_name ON segment (workspace_id, name_key) WHERE status = 'active';
CREATE INDEX segment_evaluating ON segment (id) WHERE state = 'evaluating';

CREATE TABLE segment_list (
  workspace_id   TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  name_key       TEXT    NOT NULL,
  description    TEXT    NOT NULL,
  size           BIGINT  NOT NULL,
  version        BIGINT  NOT NULL,
  created_at     BIGINT  NOT NULL,
  updated_at     BIGINT  NOT NULL,
  PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX segment_list_name ON segment_list (workspace_id, name_key);

-- How often the sets of a workspace were changed: the lock that lets one writer at a time through.
CREATE TABLE segment_revision (
  workspace_id   TEXT    NOT NULL PRIMARY KEY,
  revision       BIGINT  NOT NULL
);

-- Members of segments and lists: a Roaring bitmap of the lower 16 bits for each value of the upper 48.
CREATE TABLE segment_chunk (
  workspace_id   TEXT    NOT NULL,
  set_id         TEXT    NOT NULL,
  hi             BIGINT  NOT NULL,
  bits           {blob}  NOT NULL,
  PRIMARY KEY (workspace_id, set_id, hi)
);

CREATE TABLE segment_deadline (
  workspace_id   TEXT    NOT NULL,
  person_num     BIGINT  NOT NULL,
  segment_id     TEXT    NOT NULL,
  due_at         BIGINT  NOT NULL,
  PRIMARY KEY (workspace_id, person_num, segment_id)
);
CREATE INDEX segment_deadline_due ON segment_deadline (due_at);

-- Merges of people that the sets do not show yet.
CREATE TABLE segment_merge (
  workspace_id   TEXT    NOT NULL,
  loser          BIGINT  NOT NULL,
  winner         BIGINT  NOT NULL,
  merged_at      BIGINT  NOT NULL,
  PRIMARY KEY (workspace_id, loser)
);
