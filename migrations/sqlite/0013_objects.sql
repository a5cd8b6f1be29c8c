-- Companies, deals and tickets of the CRM, and which contacts they have. A contact is told by its id in
-- the CRM: not all that a company has are leads of ours. An association that ended stays, so that older
-- news of it cannot bring it back.

CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,              -- 1 company, 2 deal, 3 ticket
    portal_id INTEGER NOT NULL,
    crm_id INTEGER NOT NULL,
    state INTEGER NOT NULL,             -- as a lead's
    state_at INTEGER NOT NULL,
    merged_into INTEGER,
    enriched_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    contacts_at INTEGER NOT NULL,       -- when all its contacts were read
    properties BLOB NOT NULL,           -- as a lead's
    waiting TEXT NOT NULL DEFAULT '[]'  -- as a lead's
) STRICT;
CREATE UNIQUE INDEX object_crm ON object (portal_id, crm_id, kind);

CREATE TABLE association (
    object INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    portal_id INTEGER NOT NULL,
    linked INTEGER NOT NULL,            -- 0: not any more
    at INTEGER NOT NULL,
    PRIMARY KEY (object, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX association_contact ON association (portal_id, contact);
