#include "exporter/setup/found_in_database.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::found_in_database_test {
namespace {

TEST(LooksLikeALog, ByItsName) {
  for (const char* name :
       {"audit_events", "DeleteAuditLog", "log", "logs", "access_log", "ConnectionLog",
        "journal_entries", "log_entries", "order_history", "logged_actions", "audit"})
    EXPECT_TRUE(looks_like_a_log(name)) << name;
  for (const char* name :
       {"orders", "blog", "catalog", "backlog", "login", "logins", "dialogs", "logo", "logistics"})
    EXPECT_FALSE(looks_like_a_log(name)) << name;
}

}  // namespace
}  // namespace pg_integrity::test::found_in_database_test
