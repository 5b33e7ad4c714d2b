CREATE SCHEMA billing;
CREATE TABLE guest (id int PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
CREATE TABLE billing.bill (id int PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
INSERT INTO guest SELECT generate_series(1, 100);
INSERT INTO billing.bill SELECT generate_series(1, 100);
