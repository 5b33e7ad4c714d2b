#include "tests/support/paths.h"

namespace pg_integrity::test {

std::string source_path(const std::string& below) {
  return std::string(PG_INTEGRITY_SOURCE_DIR "/") + below;
}

std::string program() {
  return PG_INTEGRITY_PROGRAM;
}

std::string compiler() {
  return PG_INTEGRITY_COMPILER;
}

}  // namespace pg_integrity::test
