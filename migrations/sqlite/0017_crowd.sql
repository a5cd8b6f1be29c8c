-- What waits for a lead stands in its row, but not without end: each event rewrites it. What comes when the
-- list is full is found by an index, which is empty where nothing piles up; and so is what is put back.

ALTER TABLE delivery ADD COLUMN crowd INTEGER NOT NULL DEFAULT 0; -- 1: its lead's list does not have it

-- Lists that are longer keep the 64 oldest.
UPDATE delivery SET crowd = 1 WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY lead ORDER BY id) AS n
        FROM delivery INDEXED BY delivery_pending WHERE state = 0 AND lead <> 0
    ) WHERE n > 64
);
CREATE INDEX delivery_crowd ON delivery (lead, connector, target, urgent, id) WHERE state = 0 AND crowd = 1;
UPDATE lead SET waiting = (
    SELECT json_group_array(value) FROM (
        SELECT w.value FROM json_each(lead.waiting) w CROSS JOIN delivery d ON d.id = w.value
        WHERE d.state = 0 AND d.crowd = 0 ORDER BY w.key
    )
) WHERE id IN (SELECT lead FROM delivery WHERE state = 0 AND crowd = 1 AND lead > 0);
UPDATE object SET waiting = (
    SELECT json_group_array(value) FROM (
        SELECT w.value FROM json_each(object.waiting) w CROSS JOIN delivery d ON d.id = w.value
        WHERE d.state = 0 AND d.crowd = 0 ORDER BY w.key
    )
) WHERE id IN (SELECT -lead FROM delivery WHERE state = 0 AND crowd = 1 AND lead < 0);

-- Of those, what waits for the CRM's answer is found by itself.
CREATE INDEX delivery_asking ON delivery (lead) WHERE state = 0 AND crowd = 1 AND wait_until > 0;
