REVOKE CONNECT ON DATABASE ci_revoked FROM PUBLIC, pgintegrity;
ALTER DATABASE rdsadmin CONNECTION LIMIT 0;
UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'app_1';
