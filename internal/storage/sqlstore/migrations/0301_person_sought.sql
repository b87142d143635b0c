-- What people are found by, apart from the rest of them: a search reads all of it, a twentieth of what it would read of person.
CREATE TABLE person_sought (
    workspace_id TEXT    NOT NULL,
    num          BIGINT  NOT NULL,
    identified   BOOLEAN NOT NULL, -- has a user id
    text         TEXT    NOT NULL, -- name and addresses, lower case, a line each
    identifiers  TEXT    NOT NULL, -- the values of those owned now, lower case, a line each
    PRIMARY KEY (workspace_id, num)
){clustered};
INSERT INTO person_sought (workspace_id, num, identified, text, identifiers)
    SELECT p.workspace_id, p.num, p.user_id <> '', p.search, coalesce((SELECT string_agg(lower(i.value), '
') FROM person_identifier i WHERE i.workspace_id = p.workspace_id AND i.person = p.num), '')
    FROM person p WHERE p.redirect = 0 ORDER BY p.workspace_id, p.num;
ALTER TABLE person DROP COLUMN search;

-- Values are no longer searched here; kinds tell who is known.
DROP INDEX person_identifier_person;
CREATE INDEX person_identifier_person ON person_identifier (workspace_id, person, kind);
-- With the number a list by last seen reads the people it shows and no others.
DROP INDEX person_last_seen;
CREATE INDEX person_last_seen ON person (workspace_id, last_seen, num) WHERE redirect = 0;
