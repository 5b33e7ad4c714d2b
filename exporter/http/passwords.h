// Names and passwords of clients, against bcrypt hashes. A check takes as long for an unknown name
// as for a known one. Safe on any thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "collectors/base/thread_annotations.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class Passwords {
 public:
  /// @param users bcrypt hashes by name.
  explicit Passwords(std::map<std::string, std::string> users);

  /// What an Authorization header is worth without a check: true if it was good a while ago, false
  /// if it cannot be good. Takes a moment.
  [[nodiscard]] std::optional<bool> known(const std::string& authorization) const;
  /// Checks it. Takes as long as bcrypt does, 50 ms at cost 10. Of a password only the first 72
  /// bytes count.
  [[nodiscard]] bool check(const std::string& authorization);

 private:
  using Mark = std::array<unsigned char, 32>;

  struct Credentials {
    std::string name;
    std::string password;
  };

  static std::optional<Credentials> credentials_in(const std::string& authorization);
  [[nodiscard]] Mark mark_of(const Credentials& credentials) const;

  const std::map<std::string, std::string> users_;
  std::string hash_of_nobody_;  ///< of the cost that most of the others have
  Mark secret_{};               ///< without it, marks tell nothing about passwords
  mutable Mutex mutex_;
  std::deque<Mark> good_ GUARDED_BY(mutex_);  ///< the newest last
};

}  // namespace pg_integrity
