// A list that a collector reads from the catalog beside the Schema.
#pragma once

#include <memory>
#include <utility>

#include "collectors/collector.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// A list that is read when a pass begins and shared by the steps of the pass. It is also read
/// again when there is a newer Schema than the one it was read beside. One thread at a time.
template <typename List>
class CatalogList {
 public:
  /// @param read reads the list. Its exceptions pass through, and the next call reads again.
  template <typename Read>
  const List& get(Sources& from, const std::shared_ptr<const Schema>& schema, Read read) {
    if (from.position().empty() || schema_.lock() != schema) {
      schema_.reset();
      list_ = read();
      schema_ = schema;
    }
    return list_;
  }

 private:
  std::weak_ptr<const Schema> schema_;
  List list_;
};

}  // namespace pg_integrity
