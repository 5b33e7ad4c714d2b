// libFuzzer's entrance to one of the targets, which PG_INTEGRITY_FUZZ names.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto target = [] {
    const char* name = std::getenv("PG_INTEGRITY_FUZZ");
    const auto& targets = pg_integrity::test::fuzz_targets();
    const auto found = targets.find(name == nullptr ? "" : name);
    if (found == targets.end()) {
      std::fputs("PG_INTEGRITY_FUZZ names no target. HINT: tests/campaign fuzz --list\n", stderr);
      std::exit(2);
    }
    return found->second;
  }();
  target({reinterpret_cast<const char*>(data), size});
  return 0;
}
