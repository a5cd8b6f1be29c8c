-- What waits for a connector that is paused or gone is held. That is said of the connector, not of each
-- delivery: there may be a million.

CREATE TABLE hold (
    connector TEXT NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0,  -- by command
    removed INTEGER NOT NULL DEFAULT 0  -- the configuration does not have it any more
) STRICT, WITHOUT ROWID;

INSERT INTO hold (connector, removed) SELECT DISTINCT connector, 1 FROM delivery WHERE state = 1;
UPDATE delivery SET state = 0 WHERE state = 1;
DROP INDEX delivery_held;
