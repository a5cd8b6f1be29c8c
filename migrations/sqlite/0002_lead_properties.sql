-- A lead's properties move into its row: what an event changes of a lead is then one page, not two.
-- One after the other, by name: bytes of the name, bytes of the value, time, each with a colon
-- behind it, then name, value and the dedupe key (40 bytes).

ALTER TABLE lead ADD COLUMN properties BLOB NOT NULL DEFAULT x'';

UPDATE lead SET properties = (
    SELECT CAST(group_concat(
        printf('%d:%d:%d:', length(CAST(name AS BLOB)), length(CAST(value AS BLOB)), at)
            || name || value || key, '') AS BLOB)
    FROM (SELECT name, value, at, key FROM property WHERE property.lead = lead.id ORDER BY name)
) WHERE EXISTS (SELECT 1 FROM property WHERE property.lead = lead.id);

DROP TABLE property;
