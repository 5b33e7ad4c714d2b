CREATE TABLE author (id int PRIMARY KEY);
CREATE TABLE article (id int PRIMARY KEY REFERENCES author);
INSERT INTO author VALUES (1);
ALTER DATABASE subject SET default_transaction_isolation = 'serializable';
ALTER DATABASE subject SET default_transaction_deferrable = on;
