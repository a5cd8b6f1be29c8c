-- What a model says may come of a lead, in tenths of a percent (NULL: not known), how often it did what
-- (NULL: not counted yet), and which source it was first heard of from (NULL: not known).

ALTER TABLE lead ADD COLUMN probability INTEGER;
ALTER TABLE lead ADD COLUMN churn INTEGER;
ALTER TABLE lead ADD COLUMN activity BLOB;
ALTER TABLE lead ADD COLUMN source TEXT;
