-- How many deliveries of each connector are pending, kept as they come and go, and their index by
-- age: counting a million that wait takes longer than whoever looks at /metrics or status will wait.
-- A pending row is never deleted: it ends in another state first.

CREATE TABLE queue (
    connector TEXT NOT NULL PRIMARY KEY,
    depth INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO queue SELECT connector, count(*) FROM delivery WHERE state = 0 GROUP BY connector;

CREATE INDEX delivery_pending ON delivery (connector, created_at) WHERE state = 0;

CREATE TRIGGER queue_comes AFTER INSERT ON delivery WHEN new.state = 0 BEGIN
    INSERT INTO queue VALUES (new.connector, 1) ON CONFLICT DO UPDATE SET depth = depth + 1;
END;

CREATE TRIGGER queue_returns AFTER UPDATE OF state ON delivery
WHEN old.state <> 0 AND new.state = 0 BEGIN
    INSERT INTO queue VALUES (new.connector, 1) ON CONFLICT DO UPDATE SET depth = depth + 1;
END;

CREATE TRIGGER queue_ends AFTER UPDATE OF state ON delivery
WHEN old.state = 0 AND new.state <> 0 BEGIN
    UPDATE queue SET depth = depth - 1 WHERE connector = old.connector;
END;
