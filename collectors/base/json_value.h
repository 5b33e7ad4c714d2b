// A JSON document in memory, meant for small documents of a known form. Plain values. The accessors
// throw SourceError{decode} if the document does not have the form that they expect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collectors/base/errors.h"

namespace pg_integrity {

struct JsonValue {
  struct Member;
  using Elements = std::vector<JsonValue>;
  using Members = std::vector<Member>;

  std::variant<std::monostate, bool, double, std::string, Elements, Members> value;

  [[nodiscard]] bool flag() const { return get<bool>("no true or false"); }
  [[nodiscard]] double number() const { return get<double>("no number"); }
  [[nodiscard]] const std::string& text() const { return get<std::string>("no text"); }
  [[nodiscard]] const Elements& elements() const { return get<Elements>("no array"); }
  [[nodiscard]] const Members& members() const { return get<Members>("no object"); }

  /// The member of that name, the first if there are several. nullptr if there is none or it is
  /// null.
  [[nodiscard]] const JsonValue* find(std::string_view name) const;
  [[nodiscard]] const JsonValue& at(std::string_view name) const {
    if (const JsonValue* member = find(name)) return *member;
    throw SourceError(Reason::decode, "the JSON has no \"" + std::string(name) + "\"");
  }
  [[nodiscard]] std::optional<double> maybe_number(std::string_view name) const {
    const JsonValue* member = find(name);
    return member == nullptr ? std::nullopt : std::optional(member->number());
  }
  /// Empty if there is no such member.
  [[nodiscard]] std::string text_or_empty(std::string_view name) const {
    const JsonValue* member = find(name);
    return member == nullptr ? std::string() : member->text();
  }

 private:
  template <typename T>
  [[nodiscard]] const T& get(const char* fault) const {
    if (const T* found = std::get_if<T>(&value)) return *found;
    throw SourceError(Reason::decode, std::string("the JSON has ") + fault + " where one must be");
  }
};

/// Like std::pair, which does not accept an incomplete type.
struct JsonValue::Member {
  std::string first;  ///< its name
  JsonValue second;
};

inline const JsonValue* JsonValue::find(std::string_view name) const {
  for (const Member& member : members())
    if (member.first == name)
      return std::holds_alternative<std::monostate>(member.second.value) ? nullptr : &member.second;
  return nullptr;
}

}  // namespace pg_integrity
