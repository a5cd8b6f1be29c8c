-- A catch-up is a delivery of no lead (0), so no lead's row knows that it waits.

CREATE INDEX delivery_of_nobody ON delivery (connector, id) WHERE state = 0 AND lead = 0;
