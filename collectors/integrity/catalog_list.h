// What a collector reads from the catalog beside the Schema.
#pragma once

#include <memory>
#include <utility>

#include "collectors/collector.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

/// Something read from the catalog when a pass begins and kept for its steps, until there is a
/// newer Schema than the one it was read beside: a pass of many steps does not read it at each of
/// them. One thread at a time.
template <typename List>
class CatalogList {
 public:
  /// @param read reads it. What it throws is thrown on; the next call reads again.
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
