// Reads the Schema of a database and keeps it for all collectors of that database.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// Reads the catalog in a handful of statements.
/// @param exclude globs over "schema.table".
std::shared_ptr<const Schema> load_schema(Session& session, const std::vector<std::string>& exclude,
                                          Instant now);

/// The newest Schema of one database. Safe on any thread.
class SchemaCache {
 public:
  explicit SchemaCache(std::vector<std::string> exclude) : exclude_(std::move(exclude)) {}

  /// The schema, read anew if it is older than a minute or was contradicted.
  std::shared_ptr<const Schema> get(Session& session, Instant now);
  /// Tells the cache that a listed object does not exist. The next get() reads the schema anew.
  void contradict();

 private:
  const std::vector<std::string> exclude_;
  std::mutex mutex_;
  std::shared_ptr<const Schema> newest_;
  std::size_t contradictions_ = 0;
};

}  // namespace pg_integrity
