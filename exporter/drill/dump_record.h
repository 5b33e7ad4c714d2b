// What a dump held when it was taken: rows and a digest of each table. Plain values.
#pragma once

#include <string>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

/// What a dump's tables held on its own snapshot.
struct DumpRecord {
  struct TableContent {
    std::string schema;
    std::string table;
    double rows = 0;
    std::string content;   ///< digest; empty: rows are counted only
    std::string unproven;  ///< why nothing is known of it; empty: it is
  };

  std::string created;   ///< as the dump's own header says it
  std::string encoding;  ///< of the database
  std::string hash;      ///< hash_sample() of the server that computed the digests
  UnixTime taken_at = 0;
  std::vector<TableContent> tables;

  [[nodiscard]] const TableContent* find(const std::string& schema, const std::string& table) const;
};

}  // namespace pg_integrity
