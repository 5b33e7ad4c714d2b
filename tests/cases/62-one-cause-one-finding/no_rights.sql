DROP OWNED BY pgintegrity;
SELECT format('REVOKE %I FROM pgintegrity', r.rolname) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
  WHERE m.member = 'pgintegrity'::regrole \gexec
