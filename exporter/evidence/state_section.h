// The sections of the state file: what each part of the program keeps over a restart, under a name
// and with a version of its own. Plain values.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pg_integrity {

struct StateSection {
  std::string name;
  int version = 0;      ///< of the form that its content has
  std::string content;  ///< one value of JSON: see exporter/io/json_writer.h and json_reader.h
};

/// A section that this program reads and writes.
struct KnownSection {
  std::string_view name;
  int version;  ///< that is written; it grows when an older program could not read the content
};

/// The one list of them. Whoever has something to keep adds a line here, a function that makes the
/// section where serve.cpp collects them, and reads it with read_section().
inline constexpr std::array<KnownSection, 1> kStateSections{{{"evidence", 1}}};

}  // namespace pg_integrity
