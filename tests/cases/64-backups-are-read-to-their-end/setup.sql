CREATE TABLE letter (id int PRIMARY KEY, body text);
INSERT INTO letter SELECT i, md5(i::text) || md5((-i)::text) FROM generate_series(1, 30000) i;
