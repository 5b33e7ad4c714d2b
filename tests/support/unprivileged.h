// Gives up root's privileges while an object lives, for the whole process.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <stdexcept>

namespace pg_integrity::test {

/// Runs a test of root as another user, to whom file modes apply.
class Unprivileged {
 public:
  Unprivileged() : root_(::geteuid() == 0) { become(65534); }
  ~Unprivileged() { become(0); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;

 private:
  void become(uid_t user) const {
    if (root_ && ::seteuid(user) != 0) throw std::runtime_error("seteuid failed");
  }
  bool root_;
};

}  // namespace pg_integrity::test
