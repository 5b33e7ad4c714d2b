#include "exporter/config/databases.h"

#include <gtest/gtest.h>

namespace pg_integrity::test::databases_test {
namespace {

using List = DatabaseList;

TEST(Databases, AreChosenByNameOrGlob) {
  EXPECT_TRUE(watches({"app", "shard_*"}, "app"));
  EXPECT_TRUE(watches({"app", "shard_*"}, "shard_7"));
  EXPECT_FALSE(watches({"app", "shard_*"}, "postgres"));
  EXPECT_FALSE(watches({}, "app"));
  EXPECT_EQ(named_databases({"app", "shard_*", "web"}), (List{"app", "web"}));
  EXPECT_TRUE(needs_server({"app", "shard_*"}));
  EXPECT_FALSE(needs_server({"app"}));
}

TEST(Databases, AreLeftOutByAnEntryWithAnExclamationMark) {
  for (const List& list : {List{"*", "!rdsadmin", "!template*"},
                           List{"!template*", "!rdsadmin", "*"}, List{"!rdsadmin", "!template*"}}) {
    EXPECT_FALSE(watches(list, "rdsadmin"));
    EXPECT_FALSE(watches(list, "template_postgis"));
    EXPECT_TRUE(watches(list, "app"));
    EXPECT_TRUE(needs_server(list));
    EXPECT_TRUE(named_databases(list).empty());
  }
  EXPECT_FALSE(watches({"app", "!old_*"}, "web")) << "a name is an entry that chooses";
  EXPECT_TRUE(watches({"app", "!old_*"}, "app"));
  EXPECT_FALSE(needs_server({"app", "!old_*"}));
  EXPECT_EQ(named_databases({"app", "!old_*"}), (List{"app"}));
}

TEST(Databases, AnEntryThatChoosesNothingIsFound) {
  EXPECT_EQ(pointless_entry({"*", "!"}), "!");
  EXPECT_EQ(pointless_entry({"app", "!app"}), "app");
  EXPECT_EQ(pointless_entry({"app", "!*"}), "app");
  EXPECT_EQ(pointless_entry({"app", "*", "!template*"}), "");
}

}  // namespace
}  // namespace pg_integrity::test::databases_test
