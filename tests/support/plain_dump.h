// A file that tests use as a backup.
#pragma once

#include <string>

namespace pg_integrity::test {

/// A file with the beginning and the end of a plain dump by pg_dump. It does not say when it was
/// made.
/// @param bytes at least 100.
inline std::string plain_dump(std::size_t bytes = 2000) {
  const std::string end = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
  std::string dump =
      "--\n-- PostgreSQL database dump\n--\n\nCOPY public.t (id) FROM stdin;\n1\n\\.\n\n-- ";
  dump.resize(bytes - end.size(), 'x');
  return dump + end;
}

}  // namespace pg_integrity::test
