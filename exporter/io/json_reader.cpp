#include "exporter/io/json_reader.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr double kMaxCount = 9007199254740992;  // 2^53: beyond it doubles are not exact

/// Follows a pointer through a document as it is read. The error messages are our own, because
/// those of the library quote the document.
class CountHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit CountHandler(const JsonPointer& pointer) : pointer_(pointer) {}

  bool null() override { return other(); }
  bool boolean(bool /*value*/) override { return other(); }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return number(value);
  }
  bool string(string_t& /*value*/) override { return other(); }
  bool binary(binary_t& /*value*/) override { return other(); }

  bool start_object(std::size_t /*size*/) override { return open(false); }
  bool start_array(std::size_t /*size*/) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Level& object = levels_.back();
    object.leads_on = object.on_the_way && levels_.size() <= pointer_.size() &&
                      name == pointer_[levels_.size() - 1];
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return fail("the answer is not valid JSON");
  }

  [[nodiscard]] double result() const {
    if (!fault_.empty()) throw SourceError(Reason::decode, fault_);
    if (!found_) throw SourceError(Reason::decode, "the JSON answer has nothing at that pointer");
    return *found_;
  }

 private:
  struct Level {
    bool array = false;
    bool on_the_way = false;   ///< the pointer leads to or through this value
    bool target = false;       ///< the array whose length is counted
    bool leads_on = false;     ///< objects: the newest key is the pointer's next part
    std::size_t elements = 0;  ///< arrays: seen so far
  };

  bool fail(const char* fault) {
    if (fault_.empty()) fault_ = fault;
    return false;
  }

  /// A value begins.
  /// @return true if the pointer leads to or through it.
  bool enter() {
    if (levels_.empty()) return true;
    Level& parent = levels_.back();
    if (!parent.array) return parent.leads_on;
    const std::size_t index = parent.elements++;
    return parent.on_the_way && levels_.size() <= pointer_.size() &&
           std::to_string(index) == pointer_[levels_.size() - 1];
  }

  [[nodiscard]] bool is_target(bool on_the_way) const {
    return on_the_way && levels_.size() == pointer_.size();
  }

  bool found(double count) {
    if (found_) return fail("the JSON answer has two values at that pointer");
    found_ = count;
    return true;
  }

  bool number(double value) {
    if (!is_target(enter())) return true;
    if (value < 0 || value > kMaxCount || value != std::floor(value))
      return fail("the JSON answer's number is no count");
    return found(value);
  }

  bool other() {
    return !is_target(enter()) || fail("the JSON answer has no number or array at that pointer");
  }

  bool open(bool array) {
    const bool on_the_way = enter();
    const bool target = is_target(on_the_way);
    if (target && !array) return fail("the JSON answer has no number or array at that pointer");
    if (levels_.size() >= kMaxDepth) return fail("the JSON answer is nested too deeply");
    levels_.push_back({array, on_the_way, target});
    return true;
  }

  bool close() {
    const Level level = levels_.back();
    levels_.pop_back();
    return !level.target || found(static_cast<double>(level.elements));
  }

  const JsonPointer& pointer_;
  std::vector<Level> levels_;
  std::optional<double> found_;
  std::string fault_;
};

/// Builds a document of bounded depth.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override {
    place();
    return true;
  }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(static_cast<double>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return put(static_cast<double>(value)); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return open<JsonValue::Members>(); }
  bool start_array(std::size_t /*size*/) override { return open<JsonValue::Elements>(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return false;
  }

  JsonValue result() { return std::move(document_); }

 private:
  /// The place of the next value.
  JsonValue& place() {
    if (open_.empty()) return document_;
    if (auto* members = std::get_if<JsonValue::Members>(&open_.back()->value)) {
      members->emplace_back();
      members->back().first = std::move(key_);
      return members->back().second;
    }
    return std::get<JsonValue::Elements>(open_.back()->value).emplace_back();
  }

  template <typename T>
  bool put(T value) {
    place().value.emplace<T>(std::move(value));
    return true;
  }

  template <typename T>
  bool open() {
    if (open_.size() >= kMaxDepth) return false;
    JsonValue& opened = place();
    opened.value.emplace<T>();
    open_.push_back(&opened);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  JsonValue document_;
  std::vector<JsonValue*> open_;  ///< outermost first; each is the last value of the one before
  std::string key_;               ///< of the next member
};

}  // namespace

double SaxJson::count(std::string_view text, const JsonPointer& pointer) const {
  CountHandler counter(pointer);
  nlohmann::json::sax_parse(text.begin(), text.end(), &counter);
  return counter.result();
}

JsonValue SaxJson::read(std::string_view text) const {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder))
    throw SourceError(Reason::decode, "not valid JSON");
  return builder.result();
}

}  // namespace pg_integrity
