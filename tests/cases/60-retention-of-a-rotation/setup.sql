CREATE TABLE guest (id int PRIMARY KEY);
INSERT INTO guest SELECT generate_series(1, 100);
