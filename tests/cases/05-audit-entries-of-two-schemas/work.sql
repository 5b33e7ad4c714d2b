DELETE FROM north.orders WHERE id <= 10; DELETE FROM north.items WHERE id <= 10; DELETE FROM north."Line" WHERE id <= 10;
SET session_replication_role = replica;
DELETE FROM south.orders WHERE id <= 10; DELETE FROM south.items WHERE id <= 10; DELETE FROM south."Line" WHERE id <= 10;
