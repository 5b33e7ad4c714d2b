// What bounds a drill: its sandbox, its time, its room, and who may read its dumps.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "collectors/recovery/drill_records.h"
#include "exporter/drill/confinement.h"
#include "tests/drill/drilled.h"
#include "tests/support/content.h"

namespace pg_integrity::test::confined_drill_test {
namespace {

namespace fs = std::filesystem;

class ConfinedDrill : public ::testing::Test, public Drilled {
 protected:
  void TearDown() override { EXPECT_EQ(leftovers(), std::vector<std::string>()); }

  /// @param option of [server.drills]
  void set(const std::string& option) const {
    configure({});
    std::string text = content_of(records.path() + "/exporter.toml");
    const std::string begin = "drills = { ";
    text.insert(text.find(begin) + begin.size(), option + ", ");
    std::ofstream(records.path() + "/exporter.toml") << text;
  }
  void write_plain(const std::string& statements) const {
    std::ofstream(path("a.dump")) << "-- PostgreSQL database dump\n"
                                  << statements << "\n-- PostgreSQL database dump complete\n";
  }
  [[nodiscard]] static unsigned mode_of(const std::string& file) {
    struct stat facts {};
    EXPECT_EQ(::stat(file.c_str(), &facts), 0) << file;
    return facts.st_mode & 0777U;
  }
};

TEST_F(ConfinedDrill, OneThatTakesTooLongIsEndedAndProvesNothing) {
  set("drill_timeout = \"3s\"");
  write_plain("SELECT pg_sleep(1000);");
  const auto begin = std::chrono::steady_clock::now();
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_EQ(only_drill().outcome, DrillOutcome::unproven);
  EXPECT_EQ(reasons_of(only_drill()),
            "it did not end within 3s. HINT: drill_timeout of [server.drills]\n");
  EXPECT_TRUE(proofs().empty());
}

TEST_F(ConfinedDrill, AServerThatLogsMuchIsNoReasonToHang) {
  std::string statements;
  for (int i = 0; i < 3000; ++i)
    statements += "ALTER TABLE missing_table_number_" + std::to_string(i) + " ADD COLUMN a int;\n";
  write_plain(statements);
  EXPECT_EQ(drill().status, 1);
  EXPECT_EQ(only_drill().outcome, DrillOutcome::failed);
}

TEST_F(ConfinedDrill, ADumpThatFillsTheDiskEndsBeforeOthersLackRoom) {
  if (::geteuid() != 0 ||
      ::mount("tmpfs", work.path().c_str(), "tmpfs", 0, "size=300m,mode=0755") != 0)
    GTEST_SKIP() << "only root has a file system to fill";
  write_plain(
      "CREATE TABLE bomb AS SELECT repeat(md5(i::text), 20) FROM generate_series(1, 2000000000) "
      "i;");
  const Finished finished = drill();
  EXPECT_EQ(finished.status, 2) << finished.err;
  EXPECT_EQ(only_drill().outcome, DrillOutcome::unproven) << reasons_of(only_drill());
  EXPECT_EQ(leftovers(), std::vector<std::string>());
  EXPECT_EQ(::umount2(work.path().c_str(), MNT_DETACH), 0);
}

TEST_F(ConfinedDrill, ItIsRefusedWithoutASandboxUnlessThatIsAllowed) {
  fill();
  record("a.dump");
  EXPECT_EQ(run({"chmod", "-R", "a+rwX", records.path(), dumps.path(), work.path()}).status, 0);
  const auto without_namespaces = [&] {
    std::vector<std::string> words{
        "/usr/bin/bwrap", "--unshare-user", "--disable-userns", "--dev-bind", "/", "/"};
    const std::vector<std::string> own = command();
    words.insert(words.end(), own.begin(), own.end());
    return run(as_unprivileged(words));
  };
  const Finished refused = without_namespaces();
  EXPECT_EQ(refused.status, 3) << refused.err;
  EXPECT_NE(refused.err.find("there is no sandbox for a backup's code: "), std::string::npos);
  EXPECT_NE(refused.err.find("HINT: install bubblewrap"), std::string::npos) << refused.err;
  EXPECT_TRUE(drills().empty());
  set("sandbox = \"none\"");
  EXPECT_EQ(run({"chmod", "a+r", records.path() + "/exporter.toml"}).status, 0);
  const Finished allowed = without_namespaces();
  EXPECT_EQ(allowed.status, 0) << allowed.err;
}

TEST_F(ConfinedDrill, AContainerThatIsOpenIsNone) {
  fill();
  record("a.dump");
  set("sandbox = \"container\"");
  const Finished refused = drill();
  EXPECT_EQ(refused.status, 3) << refused.err;
  EXPECT_NE(refused.err.find("this container is no sandbox: "), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("no_new_privs is not set"), std::string::npos) << refused.err;
}

TEST(ExcessRights, AreRootCapabilitiesAndPrivilegesToGain) {
  constexpr const char* kSealed =
      "Uid:\t26001\t26001\nCapPrm:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n";
  EXPECT_EQ(excess_rights(kSealed), std::vector<std::string>());
  const auto holes_with = [&](const std::string& what, const std::string& by) {
    std::string status = kSealed;
    status.replace(status.find(what), what.size(), by);
    return excess_rights(status).size();
  };
  EXPECT_EQ(holes_with("Uid:\t26001", "Uid:\t0"), 1U);
  EXPECT_EQ(holes_with("CapPrm:\t0000000000000000", "CapPrm:\t0000000000000400"), 1U);
  EXPECT_EQ(holes_with("CapBnd:\t0000000000000000", "CapBnd:\t000001ffffffffff"), 1U);
  EXPECT_EQ(holes_with("NoNewPrivs:\t1", "NoNewPrivs:\t0"), 1U);
  EXPECT_EQ(excess_rights("").size(), 1U);
}

TEST_F(ConfinedDrill, DumpsAreTheirOwnersAndThoseOfAGroupThatIsHandedOn) {
  fill();
  record("a.dump");
  EXPECT_EQ(mode_of(path("a.dump")), 0600U);
  EXPECT_EQ(mode_of(path("a.dump.record.json")), 0600U);
  ASSERT_EQ(::chmod(dumps.path().c_str(), 02750), 0);
  record("b.dump");
  record("folder.dump", {"--format", "directory"});
  EXPECT_EQ(mode_of(path("b.dump")), 0640U);
  EXPECT_EQ(mode_of(path("b.dump.record.json")), 0640U);
  EXPECT_EQ(mode_of(path("folder.dump")), 0750U);
  EXPECT_EQ(mode_of(path("folder.dump/toc.dat")), 0640U);
}

}  // namespace
}  // namespace pg_integrity::test::confined_drill_test
