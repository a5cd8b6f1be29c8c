-- How far an import of all contacts of a CRM has come; none: it has not begun, or is through.

CREATE TABLE import (
    connector  TEXT PRIMARY KEY,
    place      TEXT NOT NULL,    -- where the CRM goes on
    contacts   INTEGER NOT NULL, -- so far
    changed_at INTEGER NOT NULL  -- Unix ms
) WITHOUT ROWID;
