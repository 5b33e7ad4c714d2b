-- The defect matrix. The test plants each defect in a copy of the shop, in which nothing else touches the same
-- tables. The findings are everything that the exporter must find then. A block has these lines:
--
--     a name, a colon and a remark
--     SQL that plants the defect (for psql, as superuser)
--     the findings: the object as the report names it, the metric, and its value if that is always the same
--
-- An arrow with two heads marks a finding that only several checks show.

-- Orphans --------------------------------------------------------------------------------------------------

-- key_not_valid: added without a check of the rows
ALTER TABLE addresses DROP CONSTRAINT addresses_customer_id_fkey;
INSERT INTO addresses (customer_id, street) VALUES (99, 'Nowhere');
ALTER TABLE addresses ADD CONSTRAINT addresses_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
--> orphans/public.addresses.addresses_customer_id_fkey orphaned_rows is 1

-- key_switched_off: its triggers are disabled; no row has gone wrong yet
ALTER TABLE addresses DISABLE TRIGGER ALL;
--> orphans/public.addresses.addresses_customer_id_fkey foreign_key_enforced is 0

-- key_switched_off_at_the_parent: rates may be deleted under their prices
ALTER TABLE rates DISABLE TRIGGER ALL;
--> orphans/public.prices.prices_country_currency_fkey foreign_key_enforced is 0

-- child_while_triggers_were_off: they are on again
ALTER TABLE addresses DISABLE TRIGGER ALL;
INSERT INTO addresses (customer_id, street) VALUES (99, 'Nowhere'), (100, 'Nowhere');
ALTER TABLE addresses ENABLE TRIGGER ALL;
--> orphans/public.addresses.addresses_customer_id_fkey orphaned_rows is 2

-- child_from_a_replica: written as logical replication writes
SET session_replication_role = replica;
INSERT INTO addresses (customer_id, street) VALUES (99, 'Nowhere');
--> orphans/public.addresses.addresses_customer_id_fkey orphaned_rows is 1

-- parent_deleted: five lines and a place in the stock refer to it
SET session_replication_role = replica;
DELETE FROM products WHERE id = 1;
--> orphans/public.order_lines.order_lines_product_id_fkey orphaned_rows is 5
--> orphans/public.stock.stock_product_id_fkey orphaned_rows is 1

-- pair_of_match_simple: both halves exist, but not together
SET session_replication_role = replica;
UPDATE stock SET warehouse = 'south', shelf = 2 WHERE product_id = 1;
--> orphans/public.stock.stock_warehouse_shelf_fkey orphaned_rows is 1

-- pair_of_match_full: both halves exist, but not together
SET session_replication_role = replica;
UPDATE prices SET currency = 'CHF' WHERE country = 'DE';
--> orphans/public.prices.prices_country_currency_fkey orphaned_rows is 1

-- half_of_match_full: one half is NULL, which MATCH FULL does not allow
SET session_replication_role = replica;
UPDATE prices SET currency = NULL WHERE country = 'DE';
--> orphans/public.prices.prices_country_currency_fkey orphaned_rows is 1

-- self_reference: the root of the tree is gone
SET session_replication_role = replica;
DELETE FROM categories WHERE id = 1;
--> orphans/public.categories.categories_parent_id_fkey orphaned_rows is 1

-- across_schemas: an invoice without its order
SET session_replication_role = replica;
INSERT INTO billing.invoices VALUES (11, 9999);
--> orphans/billing.invoices.invoices_order_id_fkey orphaned_rows is 1

-- child_in_a_partition: found under the key of the whole table
SET session_replication_role = replica;
INSERT INTO visits VALUES (11, 'south', 99);
--> orphans/public.visits.visits_customer_id_fkey orphaned_rows is 1

-- parent_in_a_partition: a click is left without its visit
SET session_replication_role = replica;
DELETE FROM visits_north WHERE id = 2;
--> orphans/public.clicks.clicks_visit_id_region_fkey orphaned_rows is 1

-- key_of_one_partition_switched_off: the others are still enforced
ALTER TABLE visits_south DISABLE TRIGGER ALL;
--> orphans/public.visits.visits_customer_id_fkey foreign_key_enforced is 0
--> orphans/public.clicks.clicks_visit_id_region_fkey foreign_key_enforced is 0

-- declared_reference: only the configuration declares it, no key does
UPDATE coupons SET customer_email = 'nobody@example.org' WHERE code = 'ANYBODY';
--> orphans/public.coupons.customer orphaned_rows is 1

-- null_in_match_simple: it refers to no row, which is allowed
UPDATE stock SET shelf = NULL WHERE product_id = 1;
--> nothing

-- Duplicates -----------------------------------------------------------------------------------------------

-- duplicate_under_a_unique_constraint: its index does not have the row
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid IN ('customers_email_key'::regclass);
INSERT INTO customers (id, email) VALUES (0, 'customer1@example.org'), (-1, 'customer1@example.org');
UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid IN ('customers_email_key'::regclass);
--> duplicates/public.customers.customers_email_key duplicate_rows is 2
--> duplicates/public.customers.mail duplicate_rows is 2

-- duplicate_under_a_primary_key: its index does not have the row
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'wishes_pkey'::regclass;
INSERT INTO wishes VALUES (1, 'wish 1 again');
UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'wishes_pkey'::regclass;
--> duplicates/public.wishes.wishes_pkey duplicate_rows is 1

-- duplicate_under_a_partial_index: the index is of an expression; products that are not sold do not count
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'products_sold_sku'::regclass;
UPDATE products SET sku = 'p-1' WHERE id = 2;
UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'products_sold_sku'::regclass;
--> duplicates/public.products.products_sold_sku duplicate_rows is 1

-- duplicate_in_a_partition: under the primary key of the whole table
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'visits_south_pkey'::regclass;
INSERT INTO visits VALUES (1, 'south', 1);
UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'visits_south_pkey'::regclass;
--> duplicates/public.visits.visits_pkey duplicate_rows is 1

-- duplicate_of_a_declared_key: two customers with the same address for mail
INSERT INTO customers (email) VALUES ('Customer1@Example.org');
--> duplicates/public.customers.mail duplicate_rows is 1

-- Audit triggers and changes that bypassed them ------------------------------------------------------------

-- trigger_disabled: it is still there
ALTER TABLE orders DISABLE TRIGGER note;
--> audit_triggers/public.orders.delete audit_trigger_enabled is 0
--> inventory/triggers unproven(gone)

-- trigger_for_replicas_only: it is still there, but enabled only for replicas
ALTER TABLE orders ENABLE REPLICA TRIGGER note;
--> audit_triggers/public.orders.delete audit_trigger_enabled is 0
--> inventory/triggers unproven(gone)

-- trigger_dropped: there is one trigger less, too
DROP TRIGGER note ON orders;
--> audit_triggers/public.orders.delete audit_trigger_enabled is 0
--> inventory/triggers unproven(gone)

-- trigger_with_a_condition: it is still there, and enabled
DROP TRIGGER note ON orders;
CREATE TRIGGER note AFTER DELETE ON orders FOR EACH ROW WHEN (OLD.id > 1000) EXECUTE FUNCTION audit.note();
--> audit_triggers/public.orders.delete audit_trigger_enabled is 0

-- trigger_of_another_event: it no longer notes TRUNCATE
ALTER TABLE billing.ledger DISABLE TRIGGER note_truncate;
--> audit_triggers/billing.ledger.truncate audit_trigger_enabled is 0
--> inventory/triggers unproven(gone)

-- trigger_function_replaced: the trigger is still there; a pinned body shows the change
CREATE OR REPLACE FUNCTION audit.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
--> audit_triggers/public.orders.delete audit_trigger_enabled is 0

-- delete_past_the_trigger: it deletes as a replica does
SET session_replication_role = replica;
DELETE FROM orders WHERE id IN (26, 27);
--> audit_triggers/public.orders unaudited_deletes is 2

-- delete_while_the_trigger_was_off: it is on again
ALTER TABLE orders DISABLE TRIGGER note;
DELETE FROM orders WHERE id = 28;
ALTER TABLE orders ENABLE TRIGGER note;
--> audit_triggers/public.orders unaudited_deletes is 1

-- truncate_past_the_audit: a trigger for rows does not see it
TRUNCATE billing.ledger;
--> audit_triggers/billing.ledger unaudited_deletes is 12

-- audit_log_truncated: its entries are gone
TRUNCATE audit.changes;
--> audit_triggers/public.orders unaudited_deletes is 2

-- delete_that_was_audited: the trigger is there for this
DELETE FROM orders WHERE id = 28;
--> nothing

-- Audit logs and protection --------------------------------------------------------------------------------

-- log_fell_silent: somebody always logs in
TRUNCATE audit.logins;
--> audit_logs/logins audit_log_recent_rows is 0

-- log_that_must_stay_empty: it has an entry
INSERT INTO audit.tampering (what) VALUES ('a seal was broken');
--> audit_logs/tampering audit_log_recent_rows is 1

-- log_entry_from_the_future: it may be recent
INSERT INTO audit.tampering VALUES (now() + interval '1 year', 'a seal was broken');
--> audit_logs/tampering unproven(clock)

-- log_table_dropped: its content is not known; it never had a row
DROP TABLE audit.tampering;
--> audit_logs/tampering unproven(missing)

-- protection_stale: enabled, but verified long ago
UPDATE audit.guards SET verified_at = now() - interval '1 day';
--> protection/wall protection_age_seconds

-- protection_disabled: its own status says so
UPDATE audit.guards SET enabled = false, verified_at = now();
--> protection/wall protection_enabled is 0

-- protection_unknown: its status was deleted
DELETE FROM audit.guards;
--> protection/wall unproven(missing)

-- protection_verified_in_the_future: this is impossible
UPDATE audit.guards SET verified_at = now() + interval '1 day';
--> protection/wall unproven(clock)

-- Rows and objects -----------------------------------------------------------------------------------------

-- rows_missing: fewer than there must be
DELETE FROM countries WHERE code = 'PL';
--> row_counts/public.countries table_rows is 4

-- rows_vanished: more than half of them are gone
DELETE FROM wishes WHERE id > 5;
--> row_counts/public.wishes table_rows_drop_ratio is 0.75

-- table_dropped: no configuration names it
DROP TABLE notes;
--> inventory/tables unproven(gone)

-- table_with_a_limit_dropped: its limit cannot be checked
DROP TABLE countries;
--> row_counts/public.countries unproven(missing)
--> inventory/tables unproven(gone)

-- key_dropped: no orphans are found, because no key is left to check
ALTER TABLE addresses DROP CONSTRAINT addresses_customer_id_fkey;
--> inventory/foreign_keys unproven(gone)

-- unaudited_trigger_dropped: it only kept a time
DROP TRIGGER touch ON orders;
--> inventory/triggers unproven(gone)

-- sequence_dropped: numbers may be given twice
DROP SEQUENCE ticket_numbers;
--> inventory/sequences unproven(gone)

-- sequence_behind: the next order has a number that is taken
SELECT setval('orders_id_seq', 5);
--> storage/public.orders.id sequence_behind_values is 23

-- identity_behind: as after a restore of data only
ALTER TABLE addresses ALTER COLUMN id RESTART;
--> storage/public.addresses.id sequence_behind_values is 10

-- index_invalid: CREATE INDEX CONCURRENTLY failed, and nobody noticed
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'products_title'::regclass;
--> storage/public invalid_indexes is 1

-- collation_changed: the system sorts differently from the index
UPDATE pg_collation SET collversion = '0' WHERE collname = 'en-x-icu';
--> storage/pg_catalog.en-x-icu collation_mismatch is 1

-- page_damaged: on disk, where PostgreSQL notices it only at a read
VACUUM FULL notes;
SELECT format('COPY (SELECT WHERE false) TO PROGRAM %L', 'dd conv=notrunc bs=1 seek=8000 count=8 status=none'
  ' if=/dev/urandom of=' || pg_relation_filepath('notes')) \gexec
--> row_counts/public.notes unproven(server)
-->> storage/database_pages checksum_failures

-- heartbeat_stale: the newest row is too old
UPDATE heartbeats SET created_at = now() - interval '7 hours';
--> freshness/public.heartbeats.created_at table_last_entry_age_seconds

-- heartbeat_gone: the time of the last one is not known
TRUNCATE heartbeats;
--> freshness/public.heartbeats.created_at unproven(missing)

-- time_from_the_future: in a table that no configuration names
UPDATE customers SET created_at = now() + interval '1 day' WHERE id = 1;
--> freshness/public.customers.created_at table_future_rows is 1

-- Who may do what ------------------------------------------------------------------------------------------

-- writer_added: on one table
GRANT DELETE ON orders TO intruder;
--> privileges/public.orders unexpected_writers is 1

-- writer_of_the_audit_log: only its trigger should write
GRANT UPDATE ON audit.changes TO app;
--> privileges/audit.changes unexpected_writers is 1

-- owner_changed: an owner may switch triggers off
ALTER TABLE orders OWNER TO intruder;
--> privileges/public.orders unexpected_writers is 1

-- everybody_may_write: the intruder and the exporter, too
GRANT INSERT ON notes TO PUBLIC;
--> privileges/public.notes unexpected_writers is 2
--> privileges own_excess_privileges is 1

-- privilege_revoked: a table that cannot be read is not proven
REVOKE SELECT ON rates FROM watcher;
--> row_counts/public.rates unproven(permission)
--> duplicates/public.rates.rates_pkey unproven(permission)
--> orphans/public.prices.prices_country_currency_fkey unproven(permission)

-- rows_hidden: row-level security would hide some of them
ALTER TABLE rates ENABLE ROW LEVEL SECURITY;
--> duplicates/public.rates.rates_pkey unproven(policy)
--> orphans/public.prices.prices_country_currency_fkey unproven(policy)

-- Values in columns, and custom queries --------------------------------------------------------------------

-- picture_is_no_url: it is the name of a file
UPDATE customers SET avatar_url = 'holiday.avi' WHERE id = 1;
--> media/public.customers.avatar_url media_unexpected_rows is 1

-- picture_in_the_database: the column must hold none
UPDATE customers SET photo = '\x89504e47' WHERE id = 1;
--> media/public.customers.photo media_unexpected_rows is 1

-- product_for_free: a custom query counts them
UPDATE products SET price = 0 WHERE id IN (1, 2);
--> custom/prices custom_free_products is 2

-- product_not_sold: a custom query lists products that must not be there
UPDATE products SET sold = false WHERE id = 8;
--> custom/unsold custom_query_rows is 1

-- query_slow: at every check
CREATE OR REPLACE VIEW best_sellers AS SELECT title FROM products, pg_sleep(1.2);
-->> query_latency/best_sellers query_slow_ratio

-- query_broken: the view that it reads is gone
DROP VIEW best_sellers;
--> query_latency/best_sellers unproven(missing)

-- The application's interface ------------------------------------------------------------------------------

-- api_counts_one_too_many: it counts a row that is not there
CREATE OR REPLACE VIEW api AS SELECT 200 AS status, (count(*) + 1)::text AS body FROM wishes;
-->> api_sync/wishes api_row_difference is 1

-- api_counts_one_too_few: as if it had not noticed a new row
CREATE OR REPLACE VIEW api AS SELECT 200 AS status, (count(*) - 1)::text AS body FROM wishes;
-->> api_sync/wishes api_row_difference is -1

-- api_down: it answers, but not with a success
CREATE OR REPLACE VIEW api AS SELECT 500 AS status, count(*)::text AS body FROM wishes;
--> api_sync/wishes api_up is 0

-- api_says_nothing: a success without a count
CREATE OR REPLACE VIEW api AS SELECT 200 AS status, '"many"' AS body;
--> api_sync/wishes unproven(decode)

-- api_slow: at every check
CREATE OR REPLACE VIEW api AS SELECT 200 AS status, count(*)::text AS body FROM wishes, pg_sleep(1.2);
-->> api_sync/wishes api_slow_ratio

-- Nothing wrong at all -------------------------------------------------------------------------------------

-- untouched: the healthy twin
--> nothing

-- ordinary_work: rows come and change, a table is added, a partition too
INSERT INTO orders (customer_id) SELECT 1 FROM generate_series(1, 5);
UPDATE orders SET customer_id = 2 WHERE id = 1;
INSERT INTO wishes SELECT i, 'wish' FROM generate_series(21, 30) i;
CREATE TABLE reviews (id serial PRIMARY KEY, product_id int REFERENCES products, created_at timestamptz DEFAULT now());
INSERT INTO reviews (product_id) VALUES (1);
GRANT SELECT ON reviews, reviews_id_seq TO watcher;
CREATE TABLE visits_west PARTITION OF visits FOR VALUES IN ('west');
INSERT INTO visits VALUES (1, 'west', 1);
VACUUM FULL orders;
ANALYZE;
--> nothing
