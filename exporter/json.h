// JSON documents of others. Counts are read without building them: memory is the depth, not the
// size.
#pragma once

#include "collectors/sources.h"

namespace pg_integrity {

class SaxJson final : public Json {
 public:
  [[nodiscard]] double count(std::string_view text, const JsonPointer& pointer) const override;
  [[nodiscard]] JsonValue read(std::string_view text) const override;
};

}  // namespace pg_integrity
