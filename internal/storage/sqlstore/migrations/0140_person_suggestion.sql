-- Two people who may be one: merges that were refused, and what people are alike in. one is the smaller number.
CREATE TABLE person_suggestion (
    workspace_id TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    one          BIGINT NOT NULL,
    two          BIGINT NOT NULL,
    status       TEXT   NOT NULL,
    score        BIGINT NOT NULL,
    evidence     TEXT   NOT NULL,
    first_at     BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    note         TEXT   NOT NULL,
    decided_by   TEXT   NOT NULL,
    decided      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX person_suggestion_one ON person_suggestion (workspace_id, one);
CREATE INDEX person_suggestion_two ON person_suggestion (workspace_id, two);
CREATE INDEX person_suggestion_list ON person_suggestion (workspace_id, status, score, id);

-- Hashes of what people may be alike in, and how far the search has got.
CREATE TABLE person_likeness (
    workspace_id TEXT   NOT NULL,
    likeness     TEXT   NOT NULL,
    person       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, likeness, person)
);
CREATE INDEX person_likeness_person ON person_likeness (workspace_id, person);
CREATE TABLE person_look (
    workspace_id TEXT    NOT NULL PRIMARY KEY,
    before_num   BIGINT  NOT NULL,
    started      BIGINT  NOT NULL,
    second_time  BOOLEAN NOT NULL,
    done         BOOLEAN NOT NULL
);
