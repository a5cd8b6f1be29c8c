-- An answer that nobody knows the meaning of is tried some times. Attempts that found the service away
-- are none of them, so they have a count of their own.

ALTER TABLE delivery ADD COLUMN unclear INTEGER NOT NULL DEFAULT 0;
