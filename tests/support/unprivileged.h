// Gives up root's privileges for as long as an object lives: the whole process does.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <stdexcept>

namespace pg_integrity::test {

/// For whom file modes count: root as somebody else.
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
