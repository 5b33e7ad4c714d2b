CREATE TABLE customer (id int PRIMARY KEY, email text CONSTRAINT customer_email UNIQUE);
CREATE TABLE orders (id serial PRIMARY KEY, number int UNIQUE, customer int REFERENCES customer,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE line (id int PRIMARY KEY, orders int REFERENCES orders);
CREATE TABLE note (id int PRIMARY KEY);
CREATE TABLE reply (id int PRIMARY KEY, note int REFERENCES note);
INSERT INTO customer SELECT i, i::text FROM generate_series(1, 10) i;
INSERT INTO orders (number, customer) SELECT i, i FROM generate_series(1, 10) i;
INSERT INTO line SELECT i, i FROM generate_series(1, 10) i;
