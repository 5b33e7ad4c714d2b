DO $$ BEGIN
  FOR i IN 1..30 LOOP
    EXECUTE format('CREATE TABLE shelf_%s (id serial PRIMARY KEY, label text UNIQUE, filled date NOT NULL)', i);
    EXECUTE format('INSERT INTO shelf_%s (label, filled) VALUES (''first'', ''2026-01-01'')', i);
  END LOOP;
END $$;
