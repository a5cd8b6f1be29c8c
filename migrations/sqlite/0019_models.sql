-- Trained models, and which of them served which goal when. A use lies on the one it came after, as on a
-- stack: what goes back to the one below takes the upper one off, so that rolling back twice goes back twice.

CREATE TABLE model (
    id INTEGER PRIMARY KEY,             -- rows are never removed
    name TEXT NOT NULL,
    version INTEGER NOT NULL,           -- of that name
    goal INTEGER NOT NULL,              -- 0 conversion, 1 churn
    created_at INTEGER NOT NULL,
    usable INTEGER NOT NULL,
    sidecar BLOB NOT NULL,
    trees BLOB NOT NULL                 -- empty: it has none
) STRICT;
CREATE UNIQUE INDEX model_name ON model (name, version);

CREATE TABLE model_use (
    id INTEGER PRIMARY KEY,
    goal INTEGER NOT NULL,
    model INTEGER NOT NULL,             -- 0: none
    below INTEGER,                      -- the use that rolling back returns to; NULL: none ever was
    at INTEGER NOT NULL,
    reason TEXT
) STRICT;
CREATE INDEX model_use_goal ON model_use (goal, id);
