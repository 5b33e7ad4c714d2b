#include "exporter/drill/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

#include "collectors/base/errors.h"
#include "collectors/base/units.h"
#include "exporter/drill/base_backup_tools.h"
#include "exporter/io/clock.h"

namespace pg_integrity {

namespace {

/// A moment in that span, to the millisecond.
UnixTime moment_between(UnixTime first, UnixTime last, std::uint64_t seed) {
  // The standard prescribes this generator's numbers, but not how distributions use them.
  std::mt19937_64 random(seed);
  const double share = static_cast<double>(random() >> 11U) / static_cast<double>(1ULL << 53U);
  return std::floor((first + share * (last - first)) * 1000) / 1000;
}

/// As the server reads it on its command line, where it does not know the letters yet.
std::string as_setting(UnixTime moment) {
  std::string text = format_moment(moment);
  text.replace(text.find('T'), 1, " ");
  text.pop_back();
  return text + "+00";
}

}  // namespace

std::optional<UnixTime> parse_moment(std::string_view text) {
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kTime = 19;
  if (text.size() < kTime || (text[kDate] != 'T' && text[kDate] != ' ')) return std::nullopt;
  const auto date = parse_date(text.substr(0, kDate));
  const std::string time(text.substr(kDate + 1));
  int hours = 0;
  int minutes = 0;
  double seconds = 0;
  int read = 0;
  if (!date || std::sscanf(time.c_str(), "%2d:%2d:%lf%n", &hours, &minutes, &seconds, &read) != 3)
    return std::nullopt;
  const std::string rest = time.substr(static_cast<std::size_t>(read));
  const bool fits = hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60 && seconds >= 0 &&
                    seconds < 60 && (rest.empty() || rest == "Z" || rest == "+00");
  return fits ? std::optional(*date + hours * 3600.0 + minutes * 60.0 + seconds) : std::nullopt;
}

std::string format_moment(UnixTime moment) {
  const double thousandths = std::round(moment * 1000);
  const double whole = std::floor(thousandths / 1000);
  std::string text = format_utc(whole);
  text.pop_back();
  return fmt::format("{}.{:03.0f}Z", text, thousandths - whole * 1000);
}

RecoveryPlan plan_recovery(Repository& repository, const RecoveryTarget& target) {
  const std::vector<RepositoryBackup> backups = repository.backups();
  if (backups.empty()) throw SourceError(Reason::missing, "the repository holds no good backup");
  const RepositoryBackup& newest = backups.back();
  if (target.seed) {
    const UnixTime last = repository.newest_archived(newest);
    if (last <= newest.stop)
      throw SourceError(Reason::missing, "no WAL was archived after the newest backup");
    return {newest, moment_between(newest.stop, last, *target.seed)};
  }
  if (!target.time) return {newest, std::nullopt};
  const auto later = std::find_if(backups.begin(), backups.end(),
                                  [&](const auto& backup) { return backup.stop > *target.time; });
  if (later == backups.begin())
    throw SourceError(Reason::missing,
                      "no backup of the repository ended before " + format_moment(*target.time));
  return {*(later - 1), target.time};
}

std::unique_ptr<ScratchCluster> start_recovery(Children& children, const Sandbox& sandbox,
                                               WorkDirectory& work, const Fetched& fetched,
                                               std::optional<UnixTime> target,
                                               const ScratchLogin& login) {
  forget_configuration(children, sandbox, work.data());
  ask_for_recovery(children, sandbox, work.data());
  ScratchStart start;
  start.programs = programs_for(work.data());
  start.login = login;
  start.view.programs = {"sh", "cp"};
  // Without a folder the command finds nothing, and the server looks into pg_wal.
  start.settings = {"hot_standby=off", "max_prepared_transactions=1000",
                    "recovery_target_action=promote",
                    "recovery_target_timeline=" + fetched.timeline,
                    restore_command(fetched.wal.empty() ? work.etc() : fetched.wal)};
  if (target) {
    ScratchStart to_target = start;
    to_target.settings.push_back("recovery_target_time=" + as_setting(*target));
    try {
      return std::make_unique<ScratchCluster>(children, sandbox, work, to_target);
    } catch (const SourceError& error) {
      constexpr const char* kNothingLater = "ended before configured recovery target was reached";
      if (std::string(error.what()).find(kNothingLater) == std::string::npos) throw;
    }
  }
  return std::make_unique<ScratchCluster>(children, sandbox, work, start);
}

}  // namespace pg_integrity
