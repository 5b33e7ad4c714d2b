DELETE FROM bills WHERE id <= 10; DELETE FROM parcels WHERE id <= 10;
SET session_replication_role = replica; DELETE FROM notes WHERE id <= 10;
