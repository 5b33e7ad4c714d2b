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

  /// The whole number at that place, or the length of the array there.
  /// @throws SourceError{decode} if there is none, or the text is not JSON, is nested beyond all
  /// reason, or has two of them.
  [[nodiscard]] virtual double count(std::string_view text, const JsonPointer& pointer) const = 0;
  /// A whole document, in memory: for texts that are bounded.
  /// @throws SourceError{decode} if it is not JSON, or nested beyond all reason.
  [[nodiscard]] virtual JsonValue read(std::string_view text) const = 0;
};

}  // namespace pg_integrity
