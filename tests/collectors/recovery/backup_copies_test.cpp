#include "collectors/recovery/backup_copies.h"

#include <gtest/gtest.h>
#include <utime.h>

#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/metric.h"
#include "exporter/evidence/verdict.h"
#include "tests/support/cluster.h"
#include "tests/support/observer.h"
#include "tests/support/plain_dump.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::backup_copies_test {
namespace {

/// Directories with the same dumps. The first one is the original of the others.
class CopiesOf : public ::testing::Test {
 protected:
  /// Writes a dump into one of the directories. Its modification time says when it was made.
  void dump(const TemporaryDirectory& directory, double hours_old) const {
    const std::string path = directory.write("a.dump", plain_dump());
    const time_t when = std::time(nullptr) - static_cast<time_t>(hours_old * 3600);
    const utimbuf times{when, when};
    ::utime(path.c_str(), &times);
  }
  static std::string source(const std::string& name, const std::string& directory,
                            const std::string& rest) {
    return "[[server.backups]]\nname = \"" + name + "\"\ndirectory = \"" + directory + "\"\n" +
           rest + "\n";
  }
  static std::string copy(const std::string& name, const std::string& directory,
                          const std::string& location) {
    return source(name, directory, "copy_of = \"first\"\nlocation = \"" + location + "\"");
  }
  [[nodiscard]] std::string first(int at_least) const {
    return source(
        "first", local_.path(),
        "every = \"24h\"\nlocation = \"local\"\nlocations_min = " + std::to_string(at_least));
  }
  [[nodiscard]] Findings look_at(const std::string& sources) const {
    return look(one_server(database_.dsn(), sources, "backups"));
  }
  static std::optional<double> locations(const Findings& found) {
    return found.value("pg_integrity_backup_locations", {{"source", "first"}, {"kind", "dump"}});
  }

  const Database database_;
  const TemporaryDirectory local_;
  const TemporaryDirectory cloud_;
  const TemporaryDirectory tape_;
};

TEST_F(CopiesOf, ThereMustBeEnoughLocationsWithARecentOne) {
  dump(local_, 1);
  dump(cloud_, 20);
  const std::string both = first(2) + copy("second", cloud_.path(), "cloud");
  Findings found = look_at(both);
  EXPECT_EQ(locations(found), 2);
  EXPECT_EQ(found.value("pg_integrity_backup_locations_min", {{"source", "first"}}), 2);
  EXPECT_EQ(found.state("backups/first.dump"), State::proven);
  EXPECT_EQ(found.state("backups/second.dump"), State::observed) << "it has no schedule of its own";

  dump(cloud_, 31);
  found = look_at(both);
  EXPECT_EQ(locations(found), 1) << "older than schedule and grace";
  EXPECT_EQ(found.violated(), "backups/first.dump");
  EXPECT_EQ(found.object("backups/first.dump").lines,
            std::vector<std::string>{"no copy that is recent enough is in cloud"});

  std::filesystem::remove(cloud_.path() + "/a.dump");
  EXPECT_EQ(locations(look_at(both)), 1);
}

TEST_F(CopiesOf, ALocationThatCannotBeReadIsNotKnown) {
  dump(local_, 1);
  const std::string unreadable = copy("second", "/nowhere/at/all", "cloud");
  Findings found = look_at(first(2) + unreadable);
  EXPECT_FALSE(locations(found)) << "neither 1 nor 2";
  EXPECT_EQ(found.reason("backups/first.dump"), Reason::io);

  const std::string third = copy("third", tape_.path(), "tape");
  found = look_at(first(3) + unreadable + third);
  EXPECT_EQ(locations(found), 1) << "even with that one there are too few";
  EXPECT_EQ(found.violated(), "backups/first.dump");

  dump(tape_, 2);
  found = look_at(first(2) + unreadable + third);
  EXPECT_EQ(locations(found), 2) << "there are enough without it";
  EXPECT_EQ(found.state("backups/first.dump"), State::proven);
}

TEST_F(CopiesOf, ThatTheFirstOneCannotBeReadHidesNoCopy) {
  dump(cloud_, 1);
  dump(tape_, 1);
  const std::string copies =
      copy("second", cloud_.path(), "cloud") + copy("third", tape_.path(), "tape");
  const std::string gone = source("first", "/nowhere/at/all", "every = \"24h\"\nlocations_min = 2");
  const Findings found = look_at(gone + copies);
  EXPECT_EQ(locations(found), 2);
  EXPECT_EQ(found.reason("backups/first.dump"), Reason::io) << "its own age is not known";
}

TEST_F(CopiesOf, TwoCopiesInOneLocationAreOne) {
  dump(local_, 1);
  dump(cloud_, 1);
  const std::string sources =
      first(2) + copy("second", cloud_.path(), "local") + copy("third", tape_.path(), "tape");
  EXPECT_EQ(locations(look_at(sources)), 1);
  dump(tape_, 1);
  EXPECT_EQ(locations(look_at(sources)), 2);
}

TEST_F(CopiesOf, KindsAreCountedByThemselves) {
  dump(local_, 1);
  const auto kinds = [](const std::string& more) {
    return "kinds = { full = { pattern = \"*.dump\"" + more +
           " }, other = { pattern = \"*.x\" } }\n";
  };
  const Findings found =
      look_at(source("first", local_.path(), kinds(", every = \"24h\"") + "locations_min = 2") +
              source("second", cloud_.path(), kinds("") + "copy_of = \"first\""));
  EXPECT_EQ(found.page.all("pg_integrity_backup_locations").size(), 1U) << "that with a schedule";
  EXPECT_EQ(found.value("pg_integrity_backup_locations", {{"kind", "full"}}), 1);
}

}  // namespace
}  // namespace pg_integrity::test::backup_copies_test
