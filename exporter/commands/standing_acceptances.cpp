#include "exporter/commands/standing_acceptances.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "exporter/config/acceptances.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/io/clock.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

using Lines = std::vector<std::string>;
using List = std::vector<ServerAcceptance>;

constexpr std::size_t kMost = 1000;  ///< acceptances that are kept in the state file

bool same_object(const ServerAcceptance& a, const ServerAcceptance& b) {
  return a.server == b.server && a.damage.object == b.damage.object &&
         a.damage.database == b.damage.database;
}

}  // namespace

StandingAcceptances::StandingAcceptances(List in_files) : in_files_(std::move(in_files)) {}

void StandingAcceptances::restore(List told) {
  const MutexLock lock(mutex_);
  told_ = std::move(told);
}

bool StandingAcceptances::take_files(ReadAcceptances read, Lines& faults) {
  if (auto* lines = std::get_if<Lines>(&read)) {
    faults = std::move(*lines);
    return false;
  }
  const MutexLock lock(mutex_);
  if (std::get<List>(read) == in_files_) return false;
  in_files_ = std::get<List>(std::move(read));
  return true;
}

StandingAcceptances::Answer StandingAcceptances::tell(const std::string& text,
                                                      const Options& options,
                                                      const std::vector<Acceptable>& acceptable,
                                                      UnixTime now) {
  ReadAcceptances read = parse_acceptances(text, "accept", options);
  if (const auto* lines = std::get_if<Lines>(&read))
    return {false, lines->empty() ? std::string("nothing was sent") : lines->front()};
  List& sent = std::get<List>(read);
  if (sent.empty()) return {false, "nothing was sent"};
  for (auto& [server, damage] : sent) {
    if (damage.until <= now)
      return {false, fmt::format("\"{}\": until is over. HINT: give a later day", damage.object)};
    const auto found = named(acceptable, damage.object, server, damage.database);
    if (found.empty())
      return {false, fmt::format("\"{}\" is nothing that is violated, gone or limited now. HINT: "
                                 "take the name from the report",
                                 damage.object)};
    if (damage.at_most > 0) continue;
    for (const Acceptable& one : found) damage.at_most = std::max(damage.at_most, one.distance);
  }
  const MutexLock lock(mutex_);
  List kept = told_;
  std::erase_if(kept, [&](const ServerAcceptance& old) {
    return old.damage.until <= now ||
           std::any_of(sent.begin(), sent.end(),
                       [&](const ServerAcceptance& one) { return same_object(one, old); });
  });
  if (kept.size() + sent.size() > kMost)
    return {false,
            fmt::format("more than {} acceptances are kept nowhere. HINT: save them as files "
                        "in accept_dir",
                        kMost)};
  kept.insert(kept.end(), sent.begin(), sent.end());
  told_ = std::move(kept);
  for (const auto& [server, damage] : sent)
    log(LogLevel::info, "accepted",
        {{"server", server},
         {"object", damage.object},
         {"until", format_utc(damage.until)},
         {"by", damage.by},
         {"reason", damage.reason}});
  return {true,
          fmt::format("accepted by this exporter: {}. No second exporter knows of it. HINT: for "
                      "all of them, save it in accept_dir",
                      sent.size())};
}

void StandingAcceptances::apply(UnixTime now, Options& options) const {
  const MutexLock lock(mutex_);
  add_acceptances(in_files_, now, options);
  add_acceptances(told_, now, options);
}

StateSection StandingAcceptances::section() const {
  const MutexLock lock(mutex_);
  return section_of(told_);
}

}  // namespace pg_integrity
