-- Dead deliveries are put back in the order of their ids, so that whoever comes again goes on behind the last.

DROP INDEX delivery_dead;
CREATE INDEX delivery_dead ON delivery (id) WHERE state = 3;
