#include "collectors/options/expect.h"

#include <algorithm>
#include <iterator>

#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

constexpr Option kExpectOptions[] = {
    {.name = "tables", .type = OptionType::integer, .help = "at least so many tables"},
    {.name = "foreign_keys", .type = OptionType::integer, .help = "at least so many foreign keys"},
    {.name = "triggers", .type = OptionType::integer, .help = "at least so many user triggers"},
    {.name = "sequences", .type = OptionType::integer, .help = "at least so many sequences"},
    {.name = "objects",
     .type = OptionType::texts,
     .help = "names and globs behind a kind, such as \"table public.orders\" or \"trigger"
             " public.orders.audit*\"; a glob pins every object that it ever matched"}};

constexpr Option kExpect[] = {
    {.name = "expect",
     .type = OptionType::record,
     .help = "pins objects: one that is missing or switched off is a violation; others are learned",
     .members = kExpectOptions}};

/// Whether it is a kind, or a glob for kinds, and behind a blank a name with its schema.
bool is_object(const std::string& text) {
  const std::size_t blank = text.find(' ');
  if (blank == std::string::npos || text.find_first_of(".*", blank) == std::string::npos)
    return false;
  const std::string kind = text.substr(0, blank);
  return std::any_of(std::begin(kObjectKinds), std::end(kObjectKinds), [&](std::string_view known) {
    return matches_glob(kind, std::string(known));
  });
}

std::string kinds() {
  std::string all;
  for (const std::string_view kind : kObjectKinds)
    all += (all.empty() ? "" : ", ") + std::string(kind);
  return all;
}

}  // namespace

std::span<const Option> expect_options() {
  return kExpect;
}

Expect expect_from(const Settings& server) {
  Expect expect;
  const Settings* pinned = server.record("expect");
  if (pinned == nullptr) return expect;
  for (const Option& option : kExpectOptions) {
    if (option.type != OptionType::integer) continue;
    if (const auto least = pinned->maybe_number(option.name))
      expect.numbers.emplace_back(option.name, *least);
  }
  expect.objects = pinned->texts("objects");
  return expect;
}

void check_expect(const Settings& server, Problems& problems) {
  const Settings* pinned = server.record("expect");
  if (pinned == nullptr) return;
  for (const std::string& object : pinned->texts("objects"))
    if (!is_object(object))
      problems.add(
          pinned->place("objects"), "\"" + object + "\" is no object that can be pinned",
          "write a kind and a name, such as \"table public.orders\"; kinds are " + kinds());
}

}  // namespace pg_integrity
