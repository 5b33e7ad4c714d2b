delete from booking where id = 500;
update item set qty = 5 where id = 1;
