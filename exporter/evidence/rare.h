// An optional value that takes no room while it is not there. For what few of many objects have.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace pg_integrity {

template <typename Value>
class Rare {
 public:
  Rare() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): as std::optional
  Rare(Value value) : value_(std::make_unique<Value>(std::move(value))) {}
  Rare(const Rare& other) : value_(other.value_ ? std::make_unique<Value>(*other) : nullptr) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(const Rare& other) {
    value_ = other.value_ ? std::make_unique<Value>(*other) : nullptr;
    return *this;
  }
  Rare& operator=(Rare&&) noexcept = default;
  ~Rare() = default;

  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  const Value& operator*() const { return *value_; }
  Value& operator*() { return *value_; }
  const Value* operator->() const { return value_.get(); }
  Value* operator->() { return value_.get(); }
  void reset() { value_.reset(); }
  // NOLINTNEXTLINE(google-explicit-constructor): for who takes any optional value
  operator std::optional<Value>() const {
    return value_ ? std::optional<Value>(*value_) : std::nullopt;
  }

 private:
  std::unique_ptr<Value> value_;
};

}  // namespace pg_integrity
