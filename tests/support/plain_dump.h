// What a test puts where a backup is expected.
#pragma once

#include <string>

namespace pg_integrity::test {

/// A file that begins as a plain dump of pg_dump does, without saying when it was made.
inline std::string plain_dump(std::size_t bytes = 2000) {
  std::string dump = "--\n-- PostgreSQL database dump\n--\n\n";
  dump.resize(bytes, 'x');
  return dump;
}

}  // namespace pg_integrity::test
