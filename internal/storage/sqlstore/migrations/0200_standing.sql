-- How people stand with the brand: by what it is judged, and the judgements.

CREATE TABLE standing_scheme (
    workspace_id TEXT    NOT NULL PRIMARY KEY,
    scheme       TEXT    NOT NULL, -- JSON, empty: the default
    rev          BIGINT  NOT NULL,
    thresholds   TEXT    NOT NULL, -- JSON
    round        TEXT    NOT NULL  -- JSON
);

CREATE TABLE standing (
    workspace_id  TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    stage         TEXT   NOT NULL, -- empty: not judged yet
    since_at      BIGINT NOT NULL,
    r             BIGINT NOT NULL,
    f             BIGINT NOT NULL,
    m             BIGINT NOT NULL,
    label         TEXT   NOT NULL,
    part          TEXT   NOT NULL,
    service       TEXT   NOT NULL,
    override      TEXT   NOT NULL,
    channel       TEXT   NOT NULL,
    hour          BIGINT NOT NULL,
    orders        BIGINT NOT NULL,
    last_order_at BIGINT NOT NULL,
    gap           BIGINT NOT NULL, -- microseconds
    currency      TEXT   NOT NULL,
    spent         BIGINT NOT NULL, -- minor units
    next_at       BIGINT NOT NULL, -- 0: time alone changes nothing
    PRIMARY KEY (workspace_id, person_id)
);
CREATE INDEX standing_due ON standing (next_at) WHERE next_at > 0;
