DO $$ BEGIN
  FOR i IN 1..150 LOOP
    EXECUTE format('CREATE SCHEMA tenant_%s', i);
    EXECUTE format('CREATE TABLE tenant_%1$s.house (id int PRIMARY KEY)', i);
    EXECUTE format('CREATE TABLE tenant_%1$s.door (id int, house int REFERENCES tenant_%1$s.house, long_name_of_a_column text)', i);
    SET LOCAL session_replication_role = replica;
    EXECUTE format('INSERT INTO tenant_%1$s.door VALUES (1, 99, repeat(''x'', 500))', i);
    SET LOCAL session_replication_role = origin;
  END LOOP;
END $$;
