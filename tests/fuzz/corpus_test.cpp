// Bytes that the fuzzer found interesting once, and bytes that broke something.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/fuzz/targets.h"
#include "tests/support/content.h"
#include "tests/support/paths.h"

namespace pg_integrity::test::corpus_test {
namespace {

TEST(Corpus, IsReadWithoutHarm) {
  for (const auto& [name, target] : fuzz_targets()) {
    const std::string folder = source_path("tests/fuzz/corpus/" + name);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      SCOPED_TRACE(entry.path());
      target(content_of(entry.path()));
      ++files;
    }
    EXPECT_GE(files, 3U) << folder;
  }
}

}  // namespace
}  // namespace pg_integrity::test::corpus_test
