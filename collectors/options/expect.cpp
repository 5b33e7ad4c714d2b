#include "collectors/options/expect.h"

namespace pg_integrity {

namespace {

constexpr Option kExpectOptions[] = {
    {.name = "tables", .type = OptionType::integer, .help = "at least so many tables"},
    {.name = "foreign_keys", .type = OptionType::integer, .help = "at least so many foreign keys"},
    {.name = "triggers", .type = OptionType::integer, .help = "at least so many user triggers"},
    {.name = "sequences", .type = OptionType::integer, .help = "at least so many sequences"}};

constexpr Option kExpect[] = {
    {.name = "expect",
     .type = OptionType::record,
     .help = "pins the inventory; what is not pinned is learned: the highest number seen",
     .members = kExpectOptions}};

}  // namespace

std::span<const Option> expect_options() {
  return kExpect;
}

Expect expect_from(const Settings& server) {
  Expect expect;
  if (const Settings* pinned = server.record("expect"))
    for (const Option& option : kExpectOptions)
      if (const auto least = pinned->maybe_number(option.name))
        expect.emplace_back(option.name, *least);
  return expect;
}

}  // namespace pg_integrity
