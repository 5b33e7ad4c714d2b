// Reads JSON documents of others. count() does not build the document, so its memory grows with the
// depth and not with the size. Safe on any thread.
#pragma once

#include "collectors/base/json_pointer.h"
#include "collectors/base/json_value.h"
#include "collectors/ports/json.h"

namespace pg_integrity {

class SaxJson final : public Json {
 public:
  [[nodiscard]] double count(std::string_view text, const JsonPointer& pointer) const override;
  [[nodiscard]] JsonValue read(std::string_view text) const override;
};

}  // namespace pg_integrity
