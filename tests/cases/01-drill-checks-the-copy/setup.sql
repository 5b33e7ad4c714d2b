CREATE TABLE room (id int PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
CREATE TABLE booking (id int PRIMARY KEY, room_id int NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
INSERT INTO room SELECT generate_series(1, 20);
INSERT INTO booking SELECT i, 1 + i % 20 FROM generate_series(1, 200) i;
-- A room that was never there, from before the key.
INSERT INTO booking VALUES (201, 99);
ALTER TABLE booking ADD CONSTRAINT booking_room_fkey FOREIGN KEY (room_id) REFERENCES room NOT VALID;
