-- What a receipt says beyond the effects: what proved the sender, when the event was committed, when it
-- took effect later than that; and what the service answered where a delivery died.

ALTER TABLE event ADD COLUMN signature TEXT;        -- NULL: nobody sent it, or it is older than this
ALTER TABLE event ADD COLUMN committed_at INTEGER;  -- NULL: it is older than this
ALTER TABLE event ADD COLUMN replayed_at INTEGER;   -- NULL: it took effect as it came
ALTER TABLE attempt ADD COLUMN answer BLOB;         -- the beginning of it; NULL: it is not kept
