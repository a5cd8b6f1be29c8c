-- Subscriptions that have ended while so much waited for them that it is cancelled bit by bit.

CREATE TABLE ended (
    subscription INTEGER PRIMARY KEY
) STRICT;
