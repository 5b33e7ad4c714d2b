// A walk through the objects of a pass, step by step. Used by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/collector.h"

namespace pg_integrity {

/// Walks the objects of a pass in order. Each step resumes after the last object done.
///
///     Walk walk(from);
///     if (walk.each("a", tables, key_of, look) == Progress::more) return Progress::more;
///
/// `items` must be sorted by key. Sections must be visited in the order of their names.
class Walk {
 public:
  enum class Pace : std::uint8_t {
    by_time,  ///< as many items per step as its time allows
    singly,   ///< one item per step, so its observations stand if the next one fails
  };

  explicit Walk(Sources& from, Pace pace = Pace::by_time) : from_(from), pace_(pace) {}

  template <typename Items, typename KeyOf, typename Look>
  Progress each(std::string_view section, const Items& items, KeyOf key_of, Look look) {
    known_ += items.size();
    for (const auto& item : items) {
      const std::string key = std::string(section) + '\0' + key_of(item);
      if (!from_.position().empty() && key <= from_.position()) {
        ++done_;
        continue;
      }
      if (looked_ && (pace_ == Pace::singly || from_.step_is_full())) return Progress::more;
      look(item);
      looked_ = true;
      from_.position() = key;
      from_.note_progress(++done_, known_);
    }
    return Progress::done;
  }

 private:
  Sources& from_;
  Pace pace_;
  bool looked_ = false;
  std::size_t done_ = 0;
  std::size_t known_ = 0;  ///< items of the sections reached so far
};

/// A key that sorts like the tuple of its parts.
template <typename... Part>
std::string walk_key(const Part&... part) {
  std::string key;
  ((key += part, key += '\0'), ...);
  return key;
}

}  // namespace pg_integrity
