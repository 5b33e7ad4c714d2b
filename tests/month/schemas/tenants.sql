-- Many tenants: a schema for each, shared tables behind row-level security, composite keys, exclusion, quoted names.
--: superuser
CREATE EXTENSION btree_gist;
CREATE EXTENSION pg_trgm;
ALTER ROLE app SET app.tenant = 'all';
--: setup
CREATE TABLE public."__EFMigrationsHistory" ("MigrationId" varchar(150) PRIMARY KEY, "ProductVersion" varchar(32) NOT NULL);
INSERT INTO public."__EFMigrationsHistory" VALUES ('20240101_Initial', '8.0');
CREATE TABLE public."Tenants" ("Id" int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, "Name" text NOT NULL UNIQUE, "CreatedAt" timestamptz NOT NULL DEFAULT now());
CREATE TABLE public."Invoices" ("TenantId" int NOT NULL REFERENCES public."Tenants", "Id" serial, "select" text, total numeric NOT NULL CHECK (total >= 0),
  "CreatedAt" timestamptz NOT NULL DEFAULT now(), PRIMARY KEY ("TenantId", "Id"));
CREATE TABLE public."Invoice Lines" ("TenantId" int NOT NULL, "InvoiceId" int NOT NULL, "No" int NOT NULL, "Text" text,
  PRIMARY KEY ("TenantId", "InvoiceId", "No"), CONSTRAINT "Lines of invoice" FOREIGN KEY ("TenantId", "InvoiceId") REFERENCES public."Invoices" ON DELETE CASCADE);
CREATE INDEX "Text of lines" ON public."Invoice Lines" USING gin ("Text" gin_trgm_ops);
ALTER TABLE public."Invoices" ENABLE ROW LEVEL SECURITY;
ALTER TABLE public."Invoices" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON public."Invoices" USING (current_setting('app.tenant', true) IN ("TenantId"::text, 'all'));
CREATE TABLE public."Bookings" ("Id" bigserial PRIMARY KEY, "TenantId" int NOT NULL REFERENCES public."Tenants", room int NOT NULL, during tstzrange NOT NULL,
  CONSTRAINT "No overlap" EXCLUDE USING gist (room WITH =, during WITH &&));
CREATE TYPE public.state AS ENUM ('draft', 'sent', 'paid');
CREATE DOMAIN public.amount AS numeric CHECK (VALUE >= 0);
CREATE TABLE public."Payments" ("Id" bigserial PRIMARY KEY, state public.state NOT NULL DEFAULT 'draft', amount public.amount NOT NULL);
CREATE TABLE public."Old Prices" (product int PRIMARY KEY, price numeric);
INSERT INTO public."Tenants" ("Name") SELECT 'Tenant ' || i FROM generate_series(1, 20) i;
INSERT INTO public."Invoices" ("TenantId", total) SELECT 1 + i % 20, i FROM generate_series(1, 400) i;
INSERT INTO public."Invoice Lines" SELECT "TenantId", "Id", n, 'Line ' || n FROM public."Invoices", generate_series(1, 3) n;
INSERT INTO public."Bookings" ("TenantId", room, during) SELECT 1, i, tstzrange(now() - interval '1 hour', now()) FROM generate_series(1, 50) i;
INSERT INTO public."Payments" (amount) SELECT i FROM generate_series(1, 50) i;
INSERT INTO public."Old Prices" SELECT i, i FROM generate_series(1, 50) i;
CREATE FUNCTION public.make_tenant(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE SCHEMA %I', name);
  EXECUTE format('CREATE TABLE %I.customer (id serial PRIMARY KEY, email text NOT NULL UNIQUE)', name);
  EXECUTE format('CREATE TABLE %I.ticket (id serial PRIMARY KEY, customer_id int NOT NULL REFERENCES %I.customer, created_at timestamptz NOT NULL DEFAULT now())', name, name);
  EXECUTE format('INSERT INTO %I.customer (email) SELECT i || ''@tenant.example'' FROM generate_series(1, 30) i', name);
  EXECUTE format('INSERT INTO %I.ticket (customer_id) SELECT i FROM generate_series(1, 30) i', name);
END $$;
SELECT make_tenant('tenant_' || i) FROM generate_series(1, 3) i;
--: hourly
INSERT INTO public."Invoices" ("TenantId", total) SELECT 1 + i % 20, i FROM generate_series(1, 5) i;
INSERT INTO public."Invoice Lines" SELECT "TenantId", "Id", 1, 'More' FROM public."Invoices" ORDER BY "Id" DESC LIMIT 5;
UPDATE public."Invoices" SET "select" = 'sent' WHERE "Id" % 41 = :n % 41;
INSERT INTO public."Bookings" ("TenantId", room, during) VALUES (1, 1000 + :n, tstzrange(now(), now() + interval '1 hour'));
INSERT INTO tenant_1.ticket (customer_id) SELECT id FROM tenant_1.customer LIMIT 5;
UPDATE public."Payments" SET state = 'paid' WHERE "Id" % 50 = :n % 50;
--: nightly
DELETE FROM public."Invoices" WHERE ("TenantId", "Id") IN (SELECT "TenantId", "Id" FROM public."Invoices" ORDER BY "Id" LIMIT 50);
DELETE FROM tenant_1.ticket WHERE id IN (SELECT id FROM tenant_1.ticket ORDER BY id LIMIT 60);
CREATE SCHEMA staging;
CREATE TABLE staging."Raw Rows" AS SELECT * FROM public."Invoice Lines";
CREATE INDEX ON staging."Raw Rows" ("TenantId");
DROP SCHEMA staging CASCADE;
REINDEX INDEX CONCURRENTLY public."Text of lines";
VACUUM FULL public."Bookings";
--: weekly
SELECT make_tenant('tenant_new_' || :n);
BEGIN;
ALTER TABLE public."Invoices" ADD COLUMN extra_:n text;
INSERT INTO public."__EFMigrationsHistory" VALUES ('2025_' || :n, '8.0');
COMMIT;
--: lock public."Invoices"
--: loss
DROP TABLE public."Old Prices";
--: loss
DROP SCHEMA tenant_3 CASCADE;
--: defect PgIntegritySequenceNearlyUsed
SELECT setval('public."Invoices_Id_seq"', 2000000000);
