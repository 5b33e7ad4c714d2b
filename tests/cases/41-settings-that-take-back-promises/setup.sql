create table t (id int primary key);
create role salvager;
alter role salvager in database subject set zero_damaged_pages = on;
