-- Goals with conditions and a value; what became of the people a message was meant for, control group included; refunds.

ALTER TABLE message ADD COLUMN goal TEXT NOT NULL DEFAULT ''; -- JSON: conditions and value, empty without
ALTER TABLE message_conversion ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;

CREATE TABLE message_outcome (
    workspace_id   TEXT   NOT NULL,
    message_id     TEXT   NOT NULL,
    credit_key     TEXT   NOT NULL, -- order id or message id of the event
    person_id      TEXT   NOT NULL,
    happened_at    BIGINT NOT NULL,
    revenue_minor  BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    currency       TEXT   NOT NULL,
    PRIMARY KEY (workspace_id, message_id, credit_key)
);
CREATE INDEX message_outcome_key ON message_outcome (workspace_id, credit_key);
CREATE INDEX message_outcome_person ON message_outcome (workspace_id, person_id);

CREATE TABLE order_refund (
    workspace_id TEXT    NOT NULL,
    credit_key   TEXT    NOT NULL,
    event_id     TEXT    NOT NULL,
    minor        BIGINT  NOT NULL,
    currency     TEXT    NOT NULL,
    whole        BOOLEAN NOT NULL, -- no amount was named
    refunded_at  BIGINT  NOT NULL,
    PRIMARY KEY (workspace_id, credit_key, event_id)
);
