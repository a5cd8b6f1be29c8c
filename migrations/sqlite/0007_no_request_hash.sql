-- The hash of the request that an event came in was never read: its own body has one.

ALTER TABLE event DROP COLUMN request_sha256;
