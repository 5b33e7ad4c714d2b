// Reads TOML files against an option tree into Settings, with toml++. Safe on any thread.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/settings.h"

namespace pg_integrity {

/// The settings of the file, without defaults. Faults go to `problems`. Before anything is parsed,
/// a file is refused if it is not a regular file or is larger than 1 MiB. It is also refused if it
/// contains a NUL or a line over 8 KiB.
Settings read_toml(const std::string& path, std::span<const Option> options, Problems& problems);

/// As read_toml(), of a text that somebody sent.
/// @param name stands for the file in `problems`.
Settings parse_toml(const std::string& text, const std::string& name,
                    std::span<const Option> options, Problems& problems);

/// The files of a directory whose names end so and do not begin with a dot, in the order of their
/// names. A directory that is missing has none. Blocks.
/// @throws std::filesystem::filesystem_error if the directory is there and cannot be read.
std::vector<std::string> files_ending(const std::string& directory,
                                      std::initializer_list<std::string_view> endings);

/// The files of a directory that are TOML: *.toml.
std::vector<std::string> toml_files(const std::string& directory);

/// A text as a TOML string with its quotes.
std::string toml_string(std::string_view text);

}  // namespace pg_integrity
