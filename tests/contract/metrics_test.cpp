// A metric that is declared wrongly does not compile, and the message says why.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace pg_integrity::test::metrics_test {
namespace {

TEST(MetricDeclarations, WrongOnesDoNotCompileAndTheMessageSaysWhy) {
  int wrong = 0;
  int right = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(source_path("tests/contract/no_compile"))) {
    std::ifstream file(entry.path());
    std::string expected;
    std::getline(file, expected);
    expected = expected.substr(3);
    const Finished compiled = run(
        {compiler(), "-std=c++20", "-fsyntax-only", "-I" + source_path(""), entry.path().string()});
    if (expected == "compiles") {
      EXPECT_EQ(compiled.status, 0) << entry.path() << compiled.err;
      ++right;
    } else {
      EXPECT_NE(compiled.status, 0) << entry.path() << " compiles";
      EXPECT_NE(compiled.err.find(expected), std::string::npos) << entry.path() << compiled.err;
      ++wrong;
    }
  }
  EXPECT_GE(wrong, 17);
  EXPECT_GE(right, 1);
}

}  // namespace
}  // namespace pg_integrity::test::metrics_test
