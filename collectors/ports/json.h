// JSON documents, read only.
#pragma once

#include <string_view>

#include "collectors/base/json_pointer.h"
#include "collectors/base/json_value.h"

namespace pg_integrity {

/// JSON documents, read only. Safe on any thread.
class Json {
 public:
  virtual ~Json() = default;
  Json() = default;
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;

  /// The whole number at `pointer`, or the length of the array there.
  /// @throws SourceError{decode} if `pointer` leads to neither or to more than one value, or if the
  /// text is not JSON or is nested too deeply.
  [[nodiscard]] virtual double count(std::string_view text, const JsonPointer& pointer) const = 0;
  /// Reads a whole document into memory. Only for texts of bounded size.
  /// @throws SourceError{decode} if the text is not JSON or is nested too deeply.
  [[nodiscard]] virtual JsonValue read(std::string_view text) const = 0;
};

}  // namespace pg_integrity
