-- Invoices: what people owe, what they paid, and when reminders fall due.

CREATE TABLE invoice (
    workspace_id TEXT   NOT NULL,
    number       TEXT   NOT NULL,
    id           TEXT   NOT NULL,
    person_id    TEXT   NOT NULL, -- empty: a payment came in before the terms
    title        TEXT   NOT NULL,
    amount       BIGINT NOT NULL, -- minor units
    currency     TEXT   NOT NULL,
    due_on       TEXT   NOT NULL, -- a day; empty: the terms are not known
    url          TEXT   NOT NULL,
    issued_at    BIGINT NOT NULL,
    terms_at     BIGINT NOT NULL,
    terms_by     TEXT   NOT NULL,
    received     BIGINT NOT NULL,
    paid_at      BIGINT NOT NULL,
    settled_at   BIGINT NOT NULL,
    voided_at    BIGINT NOT NULL,
    overdue_at   BIGINT NOT NULL,
    status       TEXT   NOT NULL, -- follows from the above
    reminders    TEXT   NOT NULL, -- JSON
    checked_at   BIGINT NOT NULL,
    next_at      BIGINT NOT NULL, -- 0: never
    rev          BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, number)
);
CREATE UNIQUE INDEX invoice_id ON invoice (workspace_id, id);
CREATE INDEX invoice_issued ON invoice (workspace_id, issued_at, id);
CREATE INDEX invoice_person ON invoice (workspace_id, person_id, issued_at);
CREATE INDEX invoice_next ON invoice (next_at) WHERE next_at > 0;

CREATE TABLE invoice_payment (
    workspace_id TEXT   NOT NULL,
    number       TEXT   NOT NULL,
    payment_key  TEXT   NOT NULL,
    amount       BIGINT NOT NULL,
    paid_at      BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, number, payment_key)
);

CREATE TABLE invoice_plan (
    workspace_id TEXT   NOT NULL PRIMARY KEY,
    plan         TEXT   NOT NULL, -- JSON
    updated_at   BIGINT NOT NULL
);
