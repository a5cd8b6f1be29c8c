-- Rows get smaller: of the SHA-256 in a dedupe key 16 bytes are kept, which tell facts apart as well.
-- In a lead's properties the time may be left out where it is that of the key. What is there keeps it.

CREATE TABLE dedupe_short (
    key BLOB NOT NULL PRIMARY KEY,      -- big-endian time, 16 bytes of the SHA-256 of the fact
    event INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO dedupe_short SELECT substr(key, 1, 24), event FROM dedupe;
DROP TABLE dedupe;
ALTER TABLE dedupe_short RENAME TO dedupe;

-- From left to right: three numbers, each up to its colon, then as many bytes as the first two say, and
-- a key of 40 bytes, the first 24 of which stay. `at` is behind the colon that was met last. One lead
-- after the other: all at once, every step of every lead would be kept in memory.
UPDATE lead SET properties = (
    WITH RECURSIVE parts(rest, made, at, bytes, colons) AS (
        SELECT lead.properties, x'', 0, 0, 0
        UNION ALL
        SELECT
            iif(colons = 3, substr(rest, at + bytes + 41), rest),
            iif(colons = 3, CAST(made || substr(rest, 1, at + bytes + 24) AS BLOB), made),
            iif(colons = 3, 0, at + instr(substr(rest, at + 1), x'3a')),
            iif(colons = 3, 0, bytes + iif(colons = 2, 0, CAST(CAST(substr(rest, at + 1,
                instr(substr(rest, at + 1), x'3a') - 1) AS TEXT) AS INTEGER))),
            (colons + 1) % 4
        FROM parts WHERE length(rest) > 0
    )
    SELECT made FROM parts WHERE length(rest) = 0
) WHERE length(properties) > 0;
