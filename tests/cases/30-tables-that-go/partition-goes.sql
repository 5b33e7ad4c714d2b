DROP TABLE registrations_p1;
