#include "exporter/io/console.h"

#include <cstdio>

namespace pg_integrity {

void say(const std::string& line) {
  std::fprintf(stderr, "pg_integrity_exporter: %s\n", line.c_str());
}

}  // namespace pg_integrity
