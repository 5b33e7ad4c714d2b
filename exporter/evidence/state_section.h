// The sections of the state file. Each part of the program keeps its state over a restart in a
// section with a name and a version. Plain values.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace pg_integrity {

struct StateSection {
  std::string name;
  int version = 0;      ///< of the form of the content
  std::string content;  ///< one value of JSON: see exporter/io/json_writer.h and json_reader.h
};

/// A section that this program reads and writes.
struct KnownSection {
  std::string_view name;
  int version;  ///< of what is written; grows when an older program could not read it
};

/// All sections. To keep a further state, add a line here and a function that makes the section,
/// and call that where serve.cpp collects the sections. Read the section with read_section().
inline constexpr std::array<KnownSection, 4> kStateSections{
    {{"evidence", 1}, {"inventory", 1}, {"acceptances", 1}, {"history", 1}}};

}  // namespace pg_integrity
