// How a collector goes through the objects of a pass, step by step. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/collector.h"

namespace pg_integrity {

/// Walks the objects of a pass in order, resuming after the last one done.
///
///     Walk walk(from);
///     if (walk.each("a", tables, key_of, look) == Progress::more) return Progress::more;
///
/// `items` must be sorted by key; sections must be visited in the order of their names.
class Walk {
 public:
  enum class Pace : std::uint8_t {
    by_time,  ///< as many items a step as its time allows
    singly,   ///< one item a step: what was seen of one stands when the next one fails
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
  std::size_t known_ = 0;  ///< of the sections reached so far
};

/// A key that sorts as the tuple of its parts does.
template <typename... Part>
std::string walk_key(const Part&... part) {
  std::string key;
  ((key += part, key += '\0'), ...);
  return key;
}

}  // namespace pg_integrity
