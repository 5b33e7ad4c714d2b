// The error of a call that must fail.
#pragma once

#include <functional>
#include <stdexcept>

#include "collectors/base/errors.h"

namespace pg_integrity::test {

/// The SourceError that `act` throws. The test fails if it throws none.
inline SourceError failure(const std::function<void()>& act) {
  try {
    act();
  } catch (const SourceError& error) {
    return error;
  }
  throw std::runtime_error("it did not fail");
}

}  // namespace pg_integrity::test
