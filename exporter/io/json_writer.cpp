#include "exporter/io/json_writer.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

namespace pg_integrity {

namespace {

using nlohmann::ordered_json;

struct ToLibrary {
  ordered_json operator()(std::monostate /*nothing*/) const { return nullptr; }
  ordered_json operator()(bool flag) const { return flag; }
  // Whole numbers are written without a fraction, as other programs write them.
  ordered_json operator()(double number) const {
    constexpr double kExact = 9007199254740992;  // 2^53: beyond it a double skips whole numbers
    if (std::trunc(number) == number && std::abs(number) <= kExact)
      return static_cast<std::int64_t>(number);
    return number;
  }
  ordered_json operator()(const std::string& text) const { return text; }
  ordered_json operator()(const JsonValue::Elements& elements) const {
    ordered_json array = ordered_json::array();
    for (const JsonValue& element : elements) array.push_back(std::visit(*this, element.value));
    return array;
  }
  ordered_json operator()(const JsonValue::Members& members) const {
    ordered_json object = ordered_json::object();
    for (const auto& [name, value] : members) object.emplace(name, std::visit(*this, value.value));
    return object;
  }
};

}  // namespace

void append_json(const JsonValue& value, std::string& text) {
  text += std::visit(ToLibrary(), value.value)
              .dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace pg_integrity
