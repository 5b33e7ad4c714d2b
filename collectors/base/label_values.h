// The values of a series' labels, or another name of several texts. Copies share the texts, so that
// the many series and snapshots of an object do not take memory for its name again. Immutable. Safe
// on any thread.
#pragma once

#include <compare>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace pg_integrity {

class LabelValues {
 public:
  using Texts = std::vector<std::string>;

  LabelValues() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): collectors and tests write plain lists.
  LabelValues(Texts texts)
      : texts_(texts.empty() ? nullptr : std::make_shared<const Texts>(std::move(texts))) {}
  LabelValues(std::initializer_list<std::string> texts) : LabelValues(Texts(texts)) {}
  template <typename Iterator>
  LabelValues(Iterator first, Iterator last) : LabelValues(Texts(first, last)) {}

  // NOLINTNEXTLINE(google-explicit-constructor): it is such a list for all who only read.
  operator const Texts&() const { return texts(); }
  [[nodiscard]] const Texts& texts() const {
    static const Texts kNone;
    return texts_ ? *texts_ : kNone;
  }

  [[nodiscard]] std::size_t size() const { return texts().size(); }
  [[nodiscard]] bool empty() const { return texts_ == nullptr; }
  const std::string& operator[](std::size_t at) const { return texts()[at]; }
  [[nodiscard]] const std::string& at(std::size_t at) const { return texts().at(at); }
  [[nodiscard]] const std::string& front() const { return texts().front(); }
  [[nodiscard]] const std::string& back() const { return texts().back(); }
  [[nodiscard]] Texts::const_iterator begin() const { return texts().begin(); }
  [[nodiscard]] Texts::const_iterator end() const { return texts().end(); }

  /// Takes the texts of another one if they are the same, and forgets its own.
  void share(const LabelValues& other) {
    if (texts_ != other.texts_ && *this == other) texts_ = other.texts_;
  }

  friend bool operator==(const LabelValues& a, const LabelValues& b) {
    return a.texts_ == b.texts_ || a.texts() == b.texts();
  }
  friend std::strong_ordering operator<=>(const LabelValues& a, const LabelValues& b) {
    return a.texts_ == b.texts_ ? std::strong_ordering::equal : a.texts() <=> b.texts();
  }

 private:
  std::shared_ptr<const Texts> texts_;
};

}  // namespace pg_integrity
