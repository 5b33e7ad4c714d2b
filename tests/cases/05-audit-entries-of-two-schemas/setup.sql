CREATE SCHEMA north; CREATE SCHEMA south;
CREATE TABLE public.trail (id bigserial PRIMARY KEY, of_table text, relid oid, class text, did text);
CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO public.trail (of_table, relid, class, did)
    VALUES (TG_TABLE_NAME, TG_RELID, TG_RELID::regclass::text, TG_OP); RETURN NULL; END $$;
CREATE TABLE north.orders (id int PRIMARY KEY); CREATE TABLE south.orders (id int PRIMARY KEY);
CREATE TABLE north.items (id int PRIMARY KEY); CREATE TABLE south.items (id int PRIMARY KEY);
CREATE TABLE north."Line" (id int PRIMARY KEY); CREATE TABLE south."Line" (id int PRIMARY KEY);
DO $$ DECLARE t regclass; BEGIN
  FOREACH t IN ARRAY ARRAY['north.orders', 'south.orders', 'north.items', 'south.items', 'north."Line"', 'south."Line"']
  LOOP
    EXECUTE format('INSERT INTO %s SELECT generate_series(1, 50)', t);
    EXECUTE format('CREATE TRIGGER note AFTER DELETE ON %s FOR EACH ROW EXECUTE FUNCTION public.note()', t);
  END LOOP; END $$;
