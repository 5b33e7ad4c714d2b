// What a test puts where a backup is expected.
#pragma once

#include <string>

namespace pg_integrity::test {

/// A file that begins and ends as a plain dump of pg_dump does, without saying when it was made.
/// @param bytes at least 100.
inline std::string plain_dump(std::size_t bytes = 2000) {
  const std::string end = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
  std::string dump = "--\n-- PostgreSQL database dump\n--\n\n";
  dump.resize(bytes - end.size(), 'x');
  return dump + end;
}

}  // namespace pg_integrity::test
