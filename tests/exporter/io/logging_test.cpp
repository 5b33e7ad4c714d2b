#include "exporter/io/logging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <thread>
#include <vector>

#include "tests/support/captured_log.h"

namespace pg_integrity::test::logging_test {
namespace {

class Logging : public ::testing::Test {
 protected:
  std::string written() { return log_.written(); }
  /// The only line, without its time and level.
  std::string message() {
    const std::string line = written();
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    const std::size_t at = line.find("msg=");
    return at == std::string::npos ? line : line.substr(at, line.size() - at - 1);
  }

 private:
  const CapturedLog log_;
};

TEST_F(Logging, ALineIsLogfmt) {
  log(LogLevel::warning, "collector failed", {{"server", "main"}, {"reason", "timeout"}});
  const std::string line = written();
  EXPECT_TRUE(line.starts_with("ts=20")) << line;
  EXPECT_EQ(line.substr(line.find('Z')),
            "Z level=warning msg=\"collector failed\" server=\"main\" reason=\"timeout\"\n");
}

TEST_F(Logging, AValueCannotForgeALine) {
  log(LogLevel::info, "seen",
      {{"object", "x\nts=2026-01-01T00:00:00.000Z level=error msg=\"forged\""}});
  EXPECT_EQ(message(),
            R"(msg="seen" object="x\nts=2026-01-01T00:00:00.000Z level=error msg=\"forged\"")");
}

TEST_F(Logging, AValueCannotEndItsQuotes) {
  log(LogLevel::info, "seen", {{"object", R"(a" level="error)"}, {"last", R"(\)"}, {"next", "b"}});
  EXPECT_EQ(message(), R"(msg="seen" object="a\" level=\"error" last="\\" next="b")");
}

TEST_F(Logging, ControlCharactersDoNotReachTheTerminal) {
  log(LogLevel::info, "seen", {{"object", std::string("\r\t\x1b[2J\x7f\0 end", 11)}});
  EXPECT_EQ(message(), R"(msg="seen" object="\x0d\x09\x1b[2J\x7f\x00 en")");
}

TEST_F(Logging, NorDoThoseOfTheSecondSet) {
  // Terminals take U+009B for ESC [ and U+0085 for a new line. Their neighbours are text.
  log(LogLevel::info, "seen", {{"object", "\u009b2J \u0080\u0085\u009f \u00a0\u00e9 \xc2"}});
  EXPECT_EQ(message(),
            "msg=\"seen\" object=\"\\xc2\\x9b2J \\xc2\\x80\\xc2\\x85\\xc2\\x9f"
            " \u00a0\u00e9 \xc2\"");
}

TEST_F(Logging, TheMessageIsEscapedToo) {
  log(LogLevel::info, "a\nb");
  EXPECT_EQ(message(), R"(msg="a\nb")");
}

TEST_F(Logging, FormatDirectivesAreTextLikeAnyOther) {
  log(LogLevel::info, "{} %s %v", {{"object", "{0} %n {{"}});
  EXPECT_EQ(message(), R"(msg="{} %s %v" object="{0} %n {{")");
}

TEST_F(Logging, NamesOfOtherScriptsStayReadable) {
  log(LogLevel::info, "seen", {{"object", "übergröße 🐘"}});
  EXPECT_EQ(message(), R"(msg="seen" object="übergröße 🐘")");
}

TEST_F(Logging, WhatIsBelowTheLevelIsNotWritten) {
  log(LogLevel::debug, "below");
  EXPECT_EQ(written(), "");
  start_logging(LogLevel::debug);
  log(LogLevel::debug, "wanted now");
  EXPECT_EQ(message(), "msg=\"wanted now\"");
}

TEST_F(Logging, LinesOfSeveralThreadsDoNotMix) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int j = 0; j < 200; ++j)
        log(LogLevel::info, "together", {{"value", std::string(300, 'x')}});
    });
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(written());
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count)
    EXPECT_TRUE(line.starts_with("ts=") && line.ends_with("x\"") && line.size() < 400) << line;
  EXPECT_EQ(count, 800);
}

}  // namespace
}  // namespace pg_integrity::test::logging_test
