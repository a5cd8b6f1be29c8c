-- A lead's ledger moves into its row: a score needs all of it each time, and row by row it was read
-- from all over the file. What a rule gave when it fired stands once in `terms`. The view shows what
-- was a table: one row for each firing.

CREATE TABLE terms (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,
    rule_group TEXT,
    why TEXT NOT NULL,
    points INTEGER NOT NULL,
    half_life INTEGER NOT NULL,
    max INTEGER NOT NULL
) STRICT;
INSERT INTO terms (rule, rule_group, why, points, half_life, max)
    SELECT DISTINCT rule, rule_group, why, points, half_life, max FROM ledger;

-- [[event,terms,occurred_at,late],...] in the order of the events, `late` being the time from then until
-- it was received. One lead after the other, each by its own chain.
ALTER TABLE lead ADD COLUMN ledger TEXT NOT NULL DEFAULT '[]';
UPDATE lead SET ledger = '[' || (
    WITH RECURSIVE chain(id) AS (
        SELECT lead.last_ledger
        UNION ALL
        SELECT g.prev FROM chain JOIN ledger g ON g.id = chain.id WHERE g.prev IS NOT NULL
    )
    SELECT group_concat(printf('[%d,%d,%d,%d]', event, terms, occurred_at, late), ',') FROM (
        SELECT g.event, t.id AS terms, g.occurred_at, g.received_at - g.occurred_at AS late
        FROM chain JOIN ledger g ON g.id = chain.id
        JOIN terms t ON t.rule = g.rule AND t.rule_group IS g.rule_group AND t.why = g.why AND
            t.points = g.points AND t.half_life = g.half_life AND t.max = g.max
        ORDER BY g.event, g.id
    )
) || ']' WHERE last_ledger IS NOT NULL;
DROP TABLE ledger;
ALTER TABLE lead DROP COLUMN last_ledger;

CREATE VIEW ledger AS SELECT
    lead.id AS lead,
    firing.value ->> 0 AS event,
    rule, rule_group, why, points, half_life, max,
    firing.value ->> 2 AS occurred_at,
    (firing.value ->> 2) + (firing.value ->> 3) AS received_at,
    firing.key AS position
FROM lead
JOIN json_each(iif(json_valid(lead.ledger), lead.ledger, '[]')) AS firing
LEFT JOIN terms ON terms.id = firing.value ->> 1;
