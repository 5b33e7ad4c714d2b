CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1, 1);
SET session_replication_role = replica;
INSERT INTO child VALUES (2, 2);
