CREATE TABLE room (id int PRIMARY KEY);
CREATE TABLE booking (id int PRIMARY KEY, room int CONSTRAINT booking_room REFERENCES room);
SET session_replication_role = replica;
INSERT INTO booking VALUES (1, 7);
