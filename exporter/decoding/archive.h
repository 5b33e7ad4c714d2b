// Reads pg_dump's archives to their end: the custom format, the tar format, and a folder of the
// directory format. See ReadHead(), ReadToc() and pg_backup_custom.c in PostgreSQL. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporter/decoding/bytes.h"
#include "exporter/decoding/conversation.h"
#include "exporter/decoding/unpacked.h"

namespace pg_integrity::decoding {

enum class ArchiveFormat : std::uint8_t { custom = 1, tar = 3 };

/// An entry of the table of contents that has data.
struct ArchiveEntry {
  int id = 0;
  bool rows = false;  ///< data of a table, which may be COPY or INSERT
  bool large_objects = false;
  std::optional<std::size_t> columns;  ///< of its COPY; nullopt: it is no COPY
  std::string file;                    ///< tar and directory format
};

struct Archive {
  ArchiveFormat format{};
  std::size_t integer_size = 4;
  Packing packing = Packing::none;
  std::map<int, ArchiveEntry> entries;  ///< by id
};

/// Reads header and table of contents.
/// @throws Damage, Unknown
Archive read_table_of_contents(Reader& from);

/// What reading it to its end found out.
struct ArchiveRead {
  bool covered = true;
  std::uint64_t rows = 0;
};

/// Reads a custom archive, from its first byte.
ArchiveRead read_custom_archive(Reader& from, Conversation& with);

/// Reads one file of data of an entry: rows, statements or the bytes of a large object.
/// @return rows
std::uint64_t read_rows(const ArchiveEntry& entry, Bytes& from);

}  // namespace pg_integrity::decoding
