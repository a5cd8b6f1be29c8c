-- Which deliveries wait for a lead stands in its row, which every event of it rewrites anyway: an index
-- over leads was touched at random, and with a million that wait it was in no cache. A list may name
-- more than wait, never fewer. And what is urgent is found before the rest.

ALTER TABLE lead ADD COLUMN waiting TEXT NOT NULL DEFAULT '[]'; -- JSON: ids of deliveries, rising

DROP INDEX delivery_head;
DROP INDEX delivery_waiting;
CREATE INDEX delivery_of_lead ON delivery (lead, id) WHERE state = 0;
UPDATE lead SET waiting = (SELECT json_group_array(id) FROM (
    SELECT id FROM delivery d WHERE d.state = 0 AND d.lead = lead.id ORDER BY id
)) WHERE id IN (SELECT lead FROM delivery WHERE state = 0);
DROP INDEX delivery_of_lead;

ALTER TABLE delivery ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET urgent = 1 WHERE state = 0 AND route = 'enrichment';
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (connector, urgent, due_at, id) WHERE state = 0;
