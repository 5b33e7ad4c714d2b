// JSON documents of others, read without building them: memory is the depth, not the size.
#pragma once

#include "collectors/sources.h"

namespace pg_integrity {

class SaxJson final : public Json {
 public:
  [[nodiscard]] double count(std::string_view text, const JsonPointer& pointer) const override;
};

}  // namespace pg_integrity
