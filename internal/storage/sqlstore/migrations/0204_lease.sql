CREATE TABLE lease (
    name       TEXT   NOT NULL PRIMARY KEY, -- of the work that one process at a time does
    holder     TEXT   NOT NULL,
    url        TEXT   NOT NULL, -- at which the other processes reach it
    fence      BIGINT NOT NULL, -- grows whenever the holder changes
    held_until BIGINT NOT NULL  -- by the database's clock
);
