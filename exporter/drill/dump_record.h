// The content of a dump when it was taken: rows and a digest of each table. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// The content of a dump's tables on the dump's own snapshot.
struct DumpRecord {
  struct TableContent {
    std::string schema;
    std::string table;
    double rows = 0;
    std::string content;   ///< digest; empty if rows are only counted
    std::string unproven;  ///< why the content is not known; empty if it is
  };

  std::string created;   ///< time in the dump's own header
  std::string encoding;  ///< of the database
  std::string hash;      ///< hash_sample() of the server that computed the digests
  UnixTime taken_at = 0;
  std::optional<double> large_objects{};  ///< their number; not in records of version 0.1
  std::vector<TableContent> tables;

  [[nodiscard]] const TableContent* find(const std::string& schema, const std::string& table) const;
};

}  // namespace pg_integrity
