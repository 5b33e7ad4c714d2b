// The paths of the checkout, the program under test and the compiler. Constant; safe on any thread.
#pragma once

#include <string>

namespace pg_integrity::test {

/// The path of a file in the checkout.
/// @param below relative to the checkout, such as "deploy/grants.sql".
std::string source_path(const std::string& below);

/// The path of the program under test.
std::string program();

/// The path of the compiler that built the tests.
std::string compiler();

}  // namespace pg_integrity::test
