-- What waits for a lead stands in its row, but not without end: each event rewrites it. What comes when the
-- list is full is found by an index, which is empty where nothing piles up; and so is what is put back.

ALTER TABLE delivery ADD COLUMN crowd INTEGER NOT NULL DEFAULT 0; -- 1: its lead's list does not have it
CREATE INDEX delivery_crowd ON delivery (lead, connector, target, urgent, id) WHERE state = 0 AND crowd = 1;

-- IS: with = SQLite would compare what is bound to a statement that looks for one lead or target with the
-- index's 0, and prepare it again each time.
DROP INDEX delivery_of_nobody;
CREATE INDEX delivery_of_nobody ON delivery (connector, id) WHERE state = 0 AND lead IS 0;
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (connector, urgent, due_at, id) WHERE state = 0 AND target IS 0;
