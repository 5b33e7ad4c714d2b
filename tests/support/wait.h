// Waits until a condition becomes true, with a generous limit. Tests never measure time.
#pragma once

#include <chrono>
#include <thread>

namespace pg_integrity::test {

template <typename Condition>
bool eventually(Condition condition, std::chrono::seconds patience = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace pg_integrity::test
