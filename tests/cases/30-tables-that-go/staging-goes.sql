DROP TABLE staging, staging_2;
ALTER TABLE registrations DETACH PARTITION registrations_p1;
