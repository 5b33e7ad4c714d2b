create extension btree_gist;
create table booking (id int primary key, room int, during tsrange,
  constraint one_at_a_time exclude using gist (room with =, during with &&));
insert into booking select g, g % 7, tsrange('2026-01-01'::timestamp + g * interval '1 day',
  '2026-01-02'::timestamp + g * interval '1 day') from generate_series(1, 100) g;
update pg_index set indisready = false where indrelid = 'booking'::regclass and indisexclusion;
insert into booking values (500, 1, '[2026-01-02 12:00, 2026-01-02 13:00)');
update pg_index set indisready = true where indrelid = 'booking'::regclass and indisexclusion;
create table item (id int primary key, qty int, note text);
insert into item values (1, -5, 'x'), (2, 3, 'y');
alter table item add constraint qty_positive check (qty > 0) not valid, add constraint noted check (note <> '') not valid;
create table plot (id int primary key, area box, constraint apart exclude using gist (area with &&));
insert into plot values (1, '(0,0),(1,1)');
