-- One reading of a meter that does not exist, and one that is there twice, in two chunks.
SET session_replication_role = replica;
INSERT INTO chunk.reading_2 VALUES (1, 77, now());
