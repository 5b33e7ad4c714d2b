SET session_replication_role = replica;
INSERT INTO child VALUES (3, 3);
