-- What a model said of a lead when routes were last asked, in tenths of a percent (0: nothing yet). Looking at
-- all leads again does not change it, or a rise that is found so would be told to nobody.

ALTER TABLE lead ADD COLUMN told_probability INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lead ADD COLUMN told_churn INTEGER NOT NULL DEFAULT 0;
