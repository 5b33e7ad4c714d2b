CREATE TABLE article (id int PRIMARY KEY);
SET password_encryption = 'scram-sha-256';
CREATE ROLE weird LOGIN PASSWORD 'right';
