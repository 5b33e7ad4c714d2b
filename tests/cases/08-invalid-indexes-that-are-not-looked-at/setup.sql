create table letters (id int primary key, body text);
insert into letters select g, 'letter ' || g from generate_series(1, 10) g;
create materialized view per_letter as select id, count(*) n from letters group by id;
create unique index per_letter_id on per_letter (id);
create table sound (id int primary key, body text);
update pg_index set indisvalid = false where indexrelid = 'per_letter_id'::regclass;
update pg_index set indisvalid = false where indrelid = (select reltoastrelid from pg_class where oid = 'letters'::regclass);
update pg_index set indisvalid = false where indexrelid = 'pg_catalog.pg_description_o_c_o_index'::regclass;
