#include "collectors/options/accept.h"

namespace pg_integrity {

namespace {

constexpr Option kAcceptOptions[] = {
    {.name = "object", .help = "the object as the report names it", .required = true},
    {.name = "database", .help = "where it is; default: in every database of the server"},
    {.name = "at_most",
     .type = OptionType::number,
     .fallback = "0",
     .help = "how far its values may be from what they should be"},
    {.name = "until",
     .type = OptionType::date,
     .help = "from this day on it counts again",
     .required = true},
    {.name = "reason", .help = "why it is accepted; shown in the report", .required = true},
    {.name = "by", .help = "who accepts it; shown in the report"}};

constexpr Option kAccept[] = {{.name = "accept",
                               .type = OptionType::records,
                               .help = "known damage that counts as accepted for a while",
                               .members = kAcceptOptions}};

}  // namespace

std::span<const Option> accept_options() {
  return kAccept;
}

std::span<const Option> accept_members() {
  return kAcceptOptions;
}

AcceptedDamage accepted_damage_from(const Settings& record) {
  return {record.text("object"),    record.text_or_empty("database"),
          record.number("at_most"), record.number("until"),
          record.text("reason"),    record.text_or_empty("by")};
}

std::vector<AcceptedDamage> accepted_from(const Settings& server) {
  std::vector<AcceptedDamage> accepted;
  for (const Settings& record : server.records("accept"))
    accepted.push_back(accepted_damage_from(record));
  return accepted;
}

}  // namespace pg_integrity
