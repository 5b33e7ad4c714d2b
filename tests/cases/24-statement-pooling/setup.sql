CREATE TABLE article (id int PRIMARY KEY);
