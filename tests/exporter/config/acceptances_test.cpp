#include "exporter/config/acceptances.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "collectors/base/units.h"
#include "exporter/config/config.h"
#include "tests/support/observer.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test::acceptances_test {
namespace {

constexpr const char* kTwoServers =
    "[[server]]\nname = \"shop\"\ndsn = \"dbname=shop\"\n"
    "[[server]]\nname = \"till\"\ndsn = \"dbname=till\"\n";

ServerAcceptance sample() {
  return {"shop",
          {"orphans/public.\"a\nb\".x\\y", "shop", 3, *parse_date("2030-01-31"), "it's \"known\"",
           "jane"}};
}

std::string fault_of(const std::string& text) {
  const ReadAcceptances read = parse_acceptances(text, "sent", options_from(kTwoServers));
  const auto* lines = std::get_if<std::vector<std::string>>(&read);
  return lines == nullptr || lines->empty() ? std::string() : lines->front();
}

std::string acceptance_of(const std::string& object) {
  ServerAcceptance acceptance = sample();
  acceptance.damage.object = object;
  return as_toml(acceptance);
}

/// A configuration file in a directory of its own, with files of acceptances beside it.
class AcceptDir : public ::testing::Test {
 protected:
  AcceptDir() { std::filesystem::create_directory(directory_.path() + "/accept.d"); }

  [[nodiscard]] Options options(const std::string& top = {}) const {
    const auto read = read_configuration(directory_.write("exporter.toml", top + kTwoServers));
    return std::get<Options>(read);
  }
  void save(const std::string& name, const std::string& text) const {
    directory_.write("accept.d/" + name, text);
  }
  [[nodiscard]] std::vector<ServerAcceptance> read() const {
    return std::get<std::vector<ServerAcceptance>>(read_acceptances(options()));
  }

  TemporaryDirectory directory_;
};

TEST(Acceptance, IsReadAsItWasWritten) {
  const ReadAcceptances read =
      parse_acceptances(as_toml(sample()), "sent", options_from(kTwoServers));
  ASSERT_TRUE(std::holds_alternative<std::vector<ServerAcceptance>>(read))
      << std::get<std::vector<std::string>>(read).front();
  EXPECT_EQ(std::get<std::vector<ServerAcceptance>>(read), std::vector{sample()});
}

TEST(Acceptance, OfAnUnknownServerIsRefusedWithItsPlace) {
  const std::string text =
      "[[accept]]\nserver = \"barn\"\nobject = \"orphans/a.b.c\"\nuntil = 2030-01-31\nreason = "
      "\"x\"\n";
  EXPECT_EQ(fault_of(text),
            "sent:2:1: there is no server \"barn\" in the configuration. HINT: write server = "
            "\"…\" as [[server]] names it");
}

TEST(Acceptance, WithoutAServerIsRefusedWhereThereAreSeveral) {
  const std::string text =
      "[[accept]]\nobject = \"orphans/a.b.c\"\nuntil = 2030-01-31\nreason = \"x\"\n";
  EXPECT_NE(fault_of(text).find("\"server\" is missing, and there are several"), std::string::npos);
  const ReadAcceptances one = parse_acceptances(
      text, "sent", options_from("[[server]]\nname = \"till\"\ndsn = \"dbname=till\"\n"));
  EXPECT_EQ(std::get<std::vector<ServerAcceptance>>(one).front().server, "till");
}

TEST(Acceptance, OfWhatNoCollectorLooksAtIsRefused) {
  EXPECT_NE(fault_of(acceptance_of("orfans/a.b.c")).find("names nothing that a collector looks at"),
            std::string::npos);
}

TEST(Acceptance, ThatIsIncompleteIsRefused) {
  EXPECT_NE(fault_of("[[accept]]\nserver = \"shop\"\n").find("\"object\""), std::string::npos);
  EXPECT_NE(fault_of("accept = 3\n").find("should be an array of tables"), std::string::npos);
}

TEST(Acceptance, ThatIsOverIsNotInForce) {
  Options options = options_from(kTwoServers);
  const std::vector all{sample()};
  add_acceptances(all, sample().damage.until, options);
  EXPECT_TRUE(options.servers.front().accept.empty());
  add_acceptances(all, sample().damage.until - 1, options);
  EXPECT_EQ(options.servers.front().accept.size(), 1U);
  EXPECT_TRUE(options.servers.back().accept.empty());
}

TEST_F(AcceptDir, HasFilesInTheOrderOfTheirNames) {
  save("20.toml", acceptance_of("orphans/a.b.second"));
  save("10.toml", acceptance_of("orphans/a.b.first"));
  save("notes.txt", "no TOML");
  save(".hidden.toml", "no TOML either");
  const auto all = read();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].damage.object, "orphans/a.b.first");
  EXPECT_EQ(all[1].damage.object, "orphans/a.b.second");
}

TEST_F(AcceptDir, MayBeMissing) {
  std::filesystem::remove_all(directory_.path() + "/accept.d");
  EXPECT_TRUE(read().empty());
}

TEST_F(AcceptDir, MayBeAnotherOrNone) {
  EXPECT_EQ(options("accept_dir = \"/somewhere/else\"\n").accept_dir, "/somewhere/else");
  EXPECT_EQ(options("accept_dir = \"known\"\n").accept_dir, directory_.path() + "/known");
  EXPECT_EQ(options("accept_dir = \"\"\n").accept_dir, "");
}

TEST_F(AcceptDir, TellsAllFaultsWithTheirFiles) {
  save("10.toml", "nonsense");
  save("20.toml", "[[accept]]\nserver = \"barn\"\n");
  const auto read = read_acceptances(options());
  std::string lines;
  for (const std::string& line : std::get<std::vector<std::string>>(read)) lines += line + "\n";
  EXPECT_NE(lines.find("/accept.d/10.toml:1:"), std::string::npos) << lines;
  EXPECT_NE(lines.find("/accept.d/20.toml:1:"), std::string::npos) << lines;
}

TEST_F(AcceptDir, ThatIsAFileIsAFault) {
  std::filesystem::remove_all(directory_.path() + "/accept.d");
  directory_.write("accept.d", "");
  EXPECT_TRUE(std::holds_alternative<std::vector<std::string>>(read_acceptances(options())));
}

}  // namespace
}  // namespace pg_integrity::test::acceptances_test
