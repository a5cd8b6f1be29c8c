-- What is old can go: a lead's events form a chain that falls in its ids, newest first, so that
-- purging the oldest events only cuts the ends of chains. A merge used to hang one chain before
-- the other.

UPDATE event SET prev = sorted.before FROM (
    SELECT id, lag(id) OVER (PARTITION BY lead ORDER BY id) AS before FROM event
    WHERE lead IN (SELECT merged_into FROM lead WHERE merged_into IS NOT NULL)
) AS sorted WHERE event.id = sorted.id AND event.prev IS NOT sorted.before;

UPDATE lead SET last_event = newest.id FROM (
    SELECT lead, max(id) AS id FROM event
    WHERE lead IN (SELECT merged_into FROM lead WHERE merged_into IS NOT NULL) GROUP BY lead
) AS newest WHERE lead.id = newest.lead;
