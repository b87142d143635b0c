-- Nodes of the trees that the keys of the log follow from (kit/shred), sealed with the master key. A node that was replaced is deleted: with it the
-- keys that followed from it alone are destroyed.
CREATE TABLE log_key (
    epoch   BIGINT NOT NULL,
    path    TEXT   NOT NULL, -- hexadecimal digits from the root
    sealed  {blob} NOT NULL,
    made_at BIGINT NOT NULL, -- when the epoch began
    PRIMARY KEY (epoch, path)
);
