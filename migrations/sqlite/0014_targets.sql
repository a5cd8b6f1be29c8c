-- What waits for one who subscribed is read by itself, in order: one who is away keeps nobody else waiting.

-- IS: with = SQLite would compare what is bound to a statement that looks for one lead or target with the
-- index's 0, and prepare it again each time.
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (connector, urgent, due_at, id) WHERE state = 0 AND target IS 0;
DROP INDEX delivery_of_nobody;
CREATE INDEX delivery_of_nobody ON delivery (connector, id) WHERE state = 0 AND lead IS 0;
DROP INDEX delivery_target;
CREATE INDEX delivery_target ON delivery (target, connector, urgent, due_at, id) WHERE state = 0 AND target > 0;
