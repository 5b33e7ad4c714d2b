DELETE FROM chunk.reading_2 WHERE meter_id = 77;
DROP TABLE chunk.reading_1;
INSERT INTO chunk.reading_2 (meter_id, taken_at) SELECT 1, now() FROM generate_series(1, 300);
