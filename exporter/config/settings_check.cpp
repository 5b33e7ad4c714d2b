#include "exporter/config/settings_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "collectors/base/units.h"

namespace pg_integrity {

namespace {

/// The default of an option, as a value.
Settings::Value fallback_value(const Option& option) {
  std::string text(option.fallback);
  switch (option.type) {
    case OptionType::flag:
      return text == "true";
    case OptionType::duration:
      return parse_duration(text).value().count();
    case OptionType::size:
      return parse_size(text).value();
    case OptionType::integer:
    case OptionType::number:
      return std::stod(text);
    default:
      return text;
  }
}

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void complete(Settings& settings, std::span<const Option> options, const std::string& where,
              Problems& problems) {
  for (const Option& option : options) {
    if (settings.refused(option.name)) continue;
    if (settings.has(option.name)) {
      settings.for_each_record(option.name, [&](Settings& record) {
        complete(record, option.members, fmt::format("in \"{}\"", option.name), problems);
      });
    } else if (!option.fallback.empty()) {
      settings.put(option.name, fallback_value(option), {});
    } else if (option.required) {
      problems.add(settings.place(), fmt::format("\"{}\" is missing {}", option.name, where),
                   std::string(option.help));
    }
  }
}

void refuse_twins(const Settings& settings, std::string_view option,
                  const std::function<Names(const Settings&)>& names_of, Problems& problems) {
  std::set<Names> seen;
  for (const Settings& record : settings.records(option))
    if (record.has("name") && !seen.insert(names_of(record)).second)
      problems.add(record.place("name"),
                   fmt::format("\"{}\" appears twice in \"{}\"", record.text("name"), option),
                   "names must be unique");
}

void refuse_twins(const CollectorSpec& spec, const Settings& settings,
                  const std::string& home_database, Problems& problems) {
  for (const Option& option : spec.options) {
    if (option.type != OptionType::records) continue;
    refuse_twins(
        settings, option.name,
        [&](const Settings& record) {
          Names names{record.text("name"),
                      record.has("database") ? record.text("database") : home_database};
          for (const Option& member : option.members)
            if (member.type == OptionType::text && is_one_of(spec.identity, member.name))
              names.push_back(record.text_or_empty(member.name));
          return names;
        },
        problems);
  }
}

}  // namespace pg_integrity
