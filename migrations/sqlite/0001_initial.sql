-- The first schema. Times are Unix milliseconds, scores tenths, states as in the C enums.
--
-- What an event adds is written where the last one wrote: events and ledger rows are in the order
-- of commits and a lead's own form a chain (last_event -> prev -> ...), so that no index over
-- leads is touched at random. dedupe is led by the event's own time for the same reason.

CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dedupe (
    key BLOB NOT NULL PRIMARY KEY,      -- big-endian time, SHA-256 of the fact
    event INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    lead INTEGER,                       -- NULL: unlinked or unprocessable
    prev INTEGER,                       -- the lead's event before this one
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    request_sha256 BLOB NOT NULL,
    body TEXT,                          -- NULL: erased
    body_sha256 BLOB NOT NULL
) STRICT;

CREATE TABLE lead (
    id INTEGER PRIMARY KEY,
    portal_id INTEGER,
    crm_id INTEGER,
    email TEXT,
    state INTEGER NOT NULL,
    state_at INTEGER NOT NULL,
    erased INTEGER NOT NULL,
    merged_into INTEGER,
    created_at INTEGER NOT NULL,
    enriched_at INTEGER NOT NULL,
    score INTEGER NOT NULL,
    fit INTEGER NOT NULL,
    engagement INTEGER NOT NULL,
    band INTEGER NOT NULL,
    evaluated INTEGER NOT NULL,
    last_event INTEGER,
    last_ledger INTEGER
) STRICT;
CREATE UNIQUE INDEX lead_crm ON lead (portal_id, crm_id) WHERE crm_id IS NOT NULL;
CREATE INDEX lead_email ON lead (email) WHERE email IS NOT NULL;
CREATE INDEX lead_merged ON lead (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE property (
    lead INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,                -- '' : cleared, remembered so that older news cannot win
    at INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (lead, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    id INTEGER PRIMARY KEY,
    lead INTEGER NOT NULL,
    prev INTEGER,
    event INTEGER NOT NULL,
    rule TEXT NOT NULL,
    rule_group TEXT,
    why TEXT NOT NULL,
    points INTEGER NOT NULL,
    half_life INTEGER NOT NULL,
    max INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE ruleset (
    id INTEGER PRIMARY KEY,
    loaded_at INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    event INTEGER NOT NULL,
    lead INTEGER NOT NULL,
    route TEXT NOT NULL,
    connector TEXT NOT NULL,
    state INTEGER NOT NULL,             -- 0 pending, 1 held, 2 delivered, 3 dead, 4 superseded, 5 cancelled
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    done_at INTEGER NOT NULL,
    open_attempt_at INTEGER NOT NULL,   -- an attempt began and its end is not known
    wait_until INTEGER NOT NULL,        -- held back for enrichment
    reason TEXT,
    remote_id TEXT,
    facts TEXT NOT NULL
) STRICT;
CREATE INDEX delivery_due ON delivery (connector, due_at, id) WHERE state = 0;
CREATE INDEX delivery_head ON delivery (connector, lead, id) WHERE state = 0;
CREATE INDEX delivery_waiting ON delivery (lead) WHERE state = 0 AND wait_until > 0;
CREATE INDEX delivery_held ON delivery (connector) WHERE state = 1;
CREATE INDEX delivery_dead ON delivery (connector) WHERE state = 3;
CREATE INDEX delivery_event ON delivery (event);

CREATE TABLE attempt (
    delivery INTEGER NOT NULL,
    n INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    status INTEGER NOT NULL,
    verdict INTEGER NOT NULL,
    detail TEXT,
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE remote (
    lead INTEGER NOT NULL,
    connector TEXT NOT NULL,
    remote TEXT NOT NULL,               -- the lead's object in that service
    at INTEGER NOT NULL,
    PRIMARY KEY (lead, connector)
) STRICT, WITHOUT ROWID;
