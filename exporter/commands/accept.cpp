#include "exporter/commands/accept.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/units.h"
#include "collectors/options/accept.h"
#include "exporter/config/acceptances.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"
#include "exporter/io/local_socket.h"
#include "exporter/report/acceptable.h"
#include "exporter/report/printable.h"
#include "exporter/scheduler/runtime.h"
#include "exporter/scheduler/scheduler.h"

namespace pg_integrity {

namespace {

constexpr Seconds kUsualTime{30.0 * 86400};
constexpr std::size_t kNamed = 5;  ///< objects that a message names

/// Who runs this command, behind sudo as well.
std::string user_name() {
  if (const char* user = std::getenv("SUDO_USER"); user != nullptr && *user != '\0') return user;
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr ? std::to_string(::getuid()) : user->pw_name;
}

/// What the evidence on record allows to accept.
/// @return nothing after printing on standard error that there is no such evidence.
std::optional<std::vector<Acceptable>> acceptable_on_record(const Options& options,
                                                            const SystemClock& clock) {
  const SavedState state = state_on_record(options.state_dir, clock);
  if (state.saved_at <= 0) {
    say(
        fmt::format("there is no evidence on record in {}, so it is not known what could be "
                    "accepted. HINT: run it beside the exporter, as its user; the configuration "
                    "names its state_dir",
                    options.state_dir.empty() ? "the state_dir" : options.state_dir));
    return std::nullopt;
  }
  ProcessResources resources(clock);
  Options copy = options;
  add_acceptances(acceptances_on_record(state), clock.unix_now(), copy);
  Runtime runtime(std::move(copy), resources, evidence_on_record(state, clock));
  runtime.scheduler().prepare();
  return acceptable_now(*runtime.evidence()->snapshot(), clock);
}

/// Adds the one object of that name.
/// @return false after printing on standard error what is wrong.
bool choose(const std::vector<Acceptable>& all, const std::string& object,
            const AcceptCommand& command, std::vector<Acceptable>& chosen) {
  const auto found = named(all, object, command.server, command.database);
  if (found.size() == 1) {
    chosen.push_back(found.front());
    return true;
  }
  std::string others;
  const auto& shown = found.empty() ? all : found;
  for (std::size_t i = 0; i < std::min(shown.size(), kNamed); ++i)
    others += fmt::format("{}{} (server {}, database {})", i == 0 ? "" : ", ",
                          printable(shown[i].object), shown[i].at.server, shown[i].at.database);
  if (!found.empty())
    say(
        fmt::format("\"{}\" is in several places: {}. HINT: choose one with --server and "
                    "--database",
                    object, others));
  else
    say(fmt::format("\"{}\" is nothing on record that is violated, gone or limited. HINT: {}",
                    object,
                    others.empty() ? "nothing is, so there is nothing to accept"
                                   : "take the name from the report. There is " + others));
  return false;
}

/// The moment from which it counts again.
/// @return nothing after printing on standard error what is wrong.
std::optional<UnixTime> end_of(const AcceptCommand& command, UnixTime now) {
  if (command.until.empty())
    return *parse_date(format_utc(now + kUsualTime.count()).substr(0, sizeof "2026-01-31" - 1));
  const auto day = parse_date(command.until);
  if (day && *day > now) return day;
  say(fmt::format("--until: \"{}\" is {}. HINT: write it as 2026-01-31", command.until,
                  day ? "over" : "no day"));
  return std::nullopt;
}

std::optional<std::vector<Acceptable>> chosen_of(const AcceptCommand& command,
                                                 const Options& options, const SystemClock& clock) {
  const auto all = acceptable_on_record(options, clock);
  if (!all) return std::nullopt;
  std::vector<Acceptable> chosen;
  bool good = true;
  for (const std::string& object : command.objects)
    good = choose(*all, object, command, chosen) && good;
  if (!good) return std::nullopt;
  if (command.changes)
    for (const Acceptable& one : *all)
      if (one.is_change && (command.server.empty() || one.at.server == command.server) &&
          (command.database.empty() || one.at.database == command.database))
        chosen.push_back(one);
  if (chosen.empty()) say("nothing is gone or limited, so there is nothing to accept");
  return chosen;
}

ExitCode tell(const std::string& text, const Options& options) {
  try {
    const std::string answer = ask_locally(acceptance_socket(options.state_dir), text);
    const bool good = answer.starts_with("accepted");
    if (good)
      std::printf("%s\n", answer.c_str());
    else
      say(answer.empty() ? "the exporter did not answer" : answer);
    return good ? ExitCode::proven : ExitCode::usage;
  } catch (const SourceError& error) {
    say(
        fmt::format("the running exporter cannot be told: {}. HINT: run it on the exporter's "
                    "machine, as its user or as root; or leave out --now, and save what it prints "
                    "in accept_dir",
                    error.what()));
    return ExitCode::usage;
  }
}

}  // namespace

std::string acceptance_socket(const std::string& state_dir) {
  return state_dir + "/accept.sock";
}

ExitCode accept(const AcceptCommand& command) {
  if (command.objects.empty() != command.changes) {
    say("accept needs the name of an object, or --changes. HINT: take the name from the report, "
        "such as \"orphans/public.child.child_fkey\"");
    return ExitCode::usage;
  }
  const auto options = options_or_complain(command.config_path);
  if (!options) return ExitCode::usage;
  const SystemClock clock;
  const auto until = end_of(command, clock.unix_now());
  if (!until) return ExitCode::usage;
  const auto chosen = chosen_of(command, *options, clock);
  if (!chosen) return ExitCode::usage;
  std::string text;
  for (const Acceptable& one : *chosen) {
    // The running exporter knows better than its record how far the values are off.
    const double now_off = command.now ? 0 : one.distance;
    text += as_toml({one.at.server,
                     {one.object, one.at.database, command.at_most.value_or(now_off), *until,
                      command.reason, command.by.empty() ? user_name() : command.by}}) +
            "\n";
  }
  if (text.empty()) return ExitCode::proven;
  if (command.now) return tell(text, *options);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (::isatty(STDERR_FILENO) != 0)
    say(fmt::format("save this as {}/NAME.toml; it is in force within 30 s",
                    options->accept_dir.empty() ? "accept.d" : options->accept_dir));
  return ExitCode::proven;
}

}  // namespace pg_integrity
