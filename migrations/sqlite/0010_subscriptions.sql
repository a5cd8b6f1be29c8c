-- Who subscribed to what a route says, and to whom of them a delivery goes. An id is never given twice:
-- deliveries of one that ended must not become another's.

CREATE TABLE subscription (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,         -- what the subscriber calls it by
    route TEXT NOT NULL,
    target TEXT NOT NULL,               -- the address, which is also what proves us there
    created_at INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, -- in a row, the first of them at failing_since
    failing_since INTEGER NOT NULL DEFAULT 0,
    UNIQUE (route, target)
) STRICT;

ALTER TABLE delivery ADD COLUMN target INTEGER NOT NULL DEFAULT 0; -- subscription; 0: none
CREATE INDEX delivery_target ON delivery (target) WHERE target > 0 AND state = 0;
