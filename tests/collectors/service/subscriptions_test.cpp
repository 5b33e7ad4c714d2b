#include <gtest/gtest.h>

#include <thread>

#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/wait.h"

namespace pg_integrity::test::subscriptions_test {
namespace {

/// A subscriber with a table that is filled, and one whose first copy meets a row that is there
/// already.
class Subscriptions : public ::testing::Test {
 protected:
  Subscriptions() {
    for (const Database* db : {&from_, &to_})
      db->run("CREATE TABLE good (id int PRIMARY KEY); CREATE TABLE bad (id int PRIMARY KEY)");
    from_.run(
        "INSERT INTO good VALUES (1); INSERT INTO bad VALUES (1), (2);"
        "CREATE PUBLICATION p FOR ALL TABLES");
    to_.run("INSERT INTO bad VALUES (2)");
    to_.run("CREATE SUBSCRIPTION s CONNECTION '" + from_.dsn() + "' PUBLICATION p");
    EXPECT_TRUE(eventually([&] { return unfilled() == "1"; }));
  }
  ~Subscriptions() override { to_.run("DROP SUBSCRIPTION s"); }

  [[nodiscard]] std::string unfilled() const {
    return to_.ask("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')");
  }
  [[nodiscard]] Findings look_after_a_second(const Findings& before) const {
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    return look(toml(), before.saved);
  }
  [[nodiscard]] std::string toml() const {
    return one_server(to_.dsn(), "[server.collectors.subscriptions]\nmax_filling = \"1s\"\n",
                      "subscriptions");
  }

  Cluster publisher_{{{"wal_level", "logical"}}};
  Cluster subscriber_{{{"wal_retrieve_retry_interval", "'200ms'"}}};
  Database from_{publisher_};
  Database to_{subscriber_};
};

TEST_F(Subscriptions, AreViolatedWhileATableIsNotFilledForTooLong) {
  Findings found = look(toml());
  EXPECT_EQ(found.state("subscriptions/s"), State::proven) << "it may have begun just now";
  EXPECT_EQ(found.value("pg_integrity_subscription_unfilled_tables"), 1);
  found = look_after_a_second(found);
  EXPECT_EQ(found.violated(), "subscriptions/s");
  EXPECT_EQ(found.object("subscriptions/s").lines.at(0), "public.bad is not filled");
  to_.run("DELETE FROM bad");
  ASSERT_TRUE(eventually([&] { return unfilled() == "0"; }));
  found = look_after_a_second(found);
  EXPECT_EQ(found.state("subscriptions/s"), State::proven);
  EXPECT_EQ(found.value("pg_integrity_subscription_filling_seconds"), 0);
}

}  // namespace
}  // namespace pg_integrity::test::subscriptions_test
