CREATE SEQUENCE first_seq; CREATE TABLE first (id int PRIMARY KEY DEFAULT nextval('first_seq'::text));
INSERT INTO first SELECT generate_series(1, 40);
CREATE SEQUENCE second_seq; CREATE TABLE second (id int PRIMARY KEY DEFAULT nextval(('public.second_seq'::text)::regclass));
INSERT INTO second SELECT generate_series(1, 30);
CREATE SEQUENCE drawn; CREATE FUNCTION next_number() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('public.drawn') $$;
CREATE TABLE third (id bigint PRIMARY KEY DEFAULT next_number()); INSERT INTO third SELECT generate_series(1, 20);
CREATE SEQUENCE harvest_seq INCREMENT 50; CREATE TABLE harvest (id bigint PRIMARY KEY);
INSERT INTO harvest SELECT generate_series(1, 200); SELECT nextval('harvest_seq');
CREATE TABLE torn (id int PRIMARY KEY); CREATE SEQUENCE torn_new OWNED BY torn.id; CREATE SEQUENCE torn_old OWNED BY torn.id;
INSERT INTO torn SELECT generate_series(1, 10); SELECT setval('torn_new', 4), setval('torn_old', 2);
CREATE TABLE brim (id smallserial PRIMARY KEY); INSERT INTO brim SELECT generate_series(1, 32767); SELECT setval('brim_id_seq', 32767);
-- As they should be.
CREATE SEQUENCE sound_seq; CREATE TABLE sound (id int PRIMARY KEY DEFAULT nextval('sound_seq'::text)); INSERT INTO sound DEFAULT VALUES;
CREATE SEQUENCE crop_seq INCREMENT 50; CREATE TABLE crop (id bigint PRIMARY KEY); INSERT INTO crop SELECT generate_series(1, 50);
SELECT nextval('crop_seq');
