// For whom file modes count: a test that runs as root is somebody else for a while.
#pragma once

#include <unistd.h>

#include <stdexcept>

namespace pg_integrity::test {

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
