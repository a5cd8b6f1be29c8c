-- What waits for one who subscribed is read by itself, in order: one who is away keeps nobody else waiting.

DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (connector, urgent, due_at, id) WHERE state = 0 AND target = 0;
DROP INDEX delivery_target;
CREATE INDEX delivery_target ON delivery (target, connector, urgent, due_at, id) WHERE state = 0 AND target > 0;
