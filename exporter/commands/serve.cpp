#include "exporter/commands/serve.h"
#include "exporter/io/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <map>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/thread_annotations.h"
#include "collectors/registry.h"
#include "exporter/commands/accept.h"
#include "exporter/commands/precautions.h"
#include "exporter/commands/reading_in_time.h"
#include "exporter/commands/shown.h"
#include "exporter/commands/standing_acceptances.h"
#include "exporter/commands/web_access.h"
#include "exporter/config/acceptances.h"
#include "exporter/config/config.h"
#include "exporter/config/options.h"
#include "exporter/config/server_files.h"
#include "exporter/config/toml.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/saved_evidence.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/state_keeper.h"
#include "exporter/history/history.h"
#include "exporter/history/history_line.h"
#include "exporter/http/server.h"
#include "exporter/io/clock.h"
#include "exporter/io/folder_watch.h"
#include "exporter/io/local_socket.h"
#include "exporter/io/logging.h"
#include "exporter/io/mutex.h"
#include "exporter/io/service_manager.h"
#include "exporter/io/signals.h"
#include "exporter/metrics/exposition.h"
#include "exporter/metrics/publisher.h"
#include "exporter/report/acceptable.h"
#include "exporter/scheduler/runtime.h"
#include "exporter/version.h"

namespace pg_integrity {

namespace {

constexpr Seconds kBetweenLooks{30};  ///< at the files of accept_dir and servers_dir

class Exporter {
 public:
  /// @throws SourceError{config} if state_dir belongs to another process.
  Exporter(ServeCommand command, Options options, std::vector<ServerAcceptance> in_files)
      : command_(std::move(command)),
        resources_(clock_),
        owned_(own_state_dir(options.state_dir, clock_, resources_.workers)),
        listen_(options.listen),
        allowed_hosts_(options.allowed_hosts),
        web_config_file_(options.web_config_file),
        state_dir_(owned_.path),
        accept_dir_(options.accept_dir),
        server_files_(options.server_files),
        places_(report_places(options)),
        reload_by_http_(options.reload_by_http),
        acceptances_(std::move(in_files)),
        history_(!owned_.path.empty()),
        configured_(std::move(options)) {
    SavedState state = std::exchange(owned_.state, {});
    acceptances_.restore(acceptances_on_record(state));
    history_.restore(state);
    HistoryEntry started;
    started.time = clock_.unix_now();
    started.kind = kStarted;
    started.text = fmt::format("pg_integrity_exporter {} ({}) started.", kVersion, kRevision);
    history_.append(std::move(started));
    of_others_ = std::move(state.of_others);
    const auto runtime = std::make_shared<Runtime>(options_in_force(configured_), resources_,
                                                   evidence_on_record(state, clock_));
    runtime->scheduler().prepare();  // the first scrape finds the recorded evidence
    runtime_ = runtime;
  }

  ExitCode run() {
    const auto evidence = [this]() -> std::shared_ptr<const Evidence> {
      return runtime()->evidence();
    };
    Publisher publisher(evidence, clock_, resources_.news, [this](const Snapshot& snapshot) {
      if (history_.look(snapshot, clock_)) resources_.news.tell();
    });
    HttpServer http(handlers(publisher), allowed_hosts_,
                    [this] { end_after_failure("the HTTP server ended of itself"); });
    http_ = &http;
    WebAccess web(web_config_file_, http, clock_, resources_.workers);
    web_ = &web;
    if (const auto faults = web.read(); !faults.empty()) {
      for (const std::string& fault : faults) say(fault);
      return ExitCode::usage;
    }
    try {
      for (const std::string& url : http.start(sockets()))
        log(LogLevel::info, "listening", {{"url", url}, {"version", kVersion}});
    } catch (const std::system_error&) {
      throw;  // no thread: the same line for all commands
    } catch (const std::runtime_error& error) {
      say(error.what());
      return ExitCode::violated;
    }
    look_for_precautions();
    web.watch([this](const std::vector<std::string>& faults) {
      complain(faults);
      web_successful_ = faults.empty();
    });
    {
      const StateKeeper keeper(
          state_dir_, [this] { return state(); }, clock_, resources_.workers, resources_.news,
          [this] { history_.was_saved(); });
      runtime()->scheduler().start();
      ServiceManager manager(clock_,
                             [this] { static_cast<void>(runtime()->evidence()->snapshot()); });
      manager.ready();
      const auto listener = listen_for_acceptances();
      const FolderWatch watch(
          "accept_dir " + accept_dir_, [directory = accept_dir_] { return toml_files(directory); },
          kBetweenLooks, clock_, resources_.workers, [this] { take_acceptance_files(); });
      const FolderWatch servers(
          "servers_dir " + server_files_.directory,
          [directory = server_files_.directory] { return server_files(directory); }, kBetweenLooks,
          clock_, resources_.workers, [this] { reload(); }, server_files_.seen);
      wait_for_the_end();
      give_signals_back();
      log(LogLevel::info, "stopping");
      manager.stopping();
      const MutexLock no_reload(reload_mutex_);
      stopping_ = true;
      runtime()->scheduler().stop();
    }
    http.stop();
    http_ = nullptr;
    web_ = nullptr;
    return failed_ ? ExitCode::violated : ExitCode::proven;
  }

  [[nodiscard]] bool threads_are_out() const { return resources_.workers.given_up() > 0; }

 private:
  [[nodiscard]] std::shared_ptr<Runtime> runtime() const {
    const MutexLock lock(mutex_);
    return runtime_;
  }

  [[nodiscard]] std::vector<ListeningSocket> sockets() const {
    if (command_.systemd_socket) return handed_over_by_systemd();
    std::vector<ListeningSocket> sockets;
    for (const ListenAddress& address : listen_) sockets.push_back(listen_on(address));
    return sockets;
  }

  /// The state that survives a restart. It holds all that was found before its `saved_at`.
  [[nodiscard]] SavedState state() {
    const UnixTime saved_at = clock_.unix_now();
    auto sections = sections_of(saved_evidence_of(*runtime()->evidence()), clock_);
    sections.push_back(acceptances_.section());
    sections.push_back(history_.section());
    return {saved_at, std::move(sections), of_others_};
  }

  [[nodiscard]] Options options_in_force(Options configured) const {
    acceptances_.apply(clock_.unix_now(), configured);
    return configured;
  }

  /// @return nullptr if nobody can talk to this exporter; then a line in the log says why.
  std::unique_ptr<LocalListener> listen_for_acceptances() {
    if (state_dir_.empty()) return nullptr;
    try {
      return std::make_unique<LocalListener>(
          acceptance_socket(state_dir_), [this](const std::string& text) { return tell(text); });
    } catch (const std::exception& error) {
      log(LogLevel::warning, "`accept --now` will not reach this exporter",
          {{"error", error.what()}});
      return nullptr;
    }
  }

  /// Takes acceptances that somebody sent.
  /// @return the answer.
  std::string tell(const std::string& text) {
    const MutexLock one_at_a_time(reload_mutex_);
    if (stopping_) return "the exporter is stopping";
    const auto acceptable = acceptable_now(*runtime()->evidence()->snapshot(), clock_);
    const auto answer = acceptances_.tell(text, configured_, acceptable, clock_.unix_now());
    if (answer.accepted && !put_in_force(configured_)) return "the exporter is stopping";
    return answer.text;
  }

  void look_for_precautions() {
    try {
      const auto lines = resources_.workers.run<std::vector<std::string>>(
          "the configuration", clock_.now() + kBetweenLooks,
          [options = runtime()->options(), path = command_.config_path] {
            return precautions(options, path);
          });
      for (const std::string& line : lines) log(LogLevel::warning, line);
    } catch (const SourceError&) {  // its files cannot be looked at now
    }
  }

  /// Puts the files of accept_dir in force. If one has a fault, the old ones stay.
  void take_acceptance_files() {
    const MutexLock one_at_a_time(reload_mutex_);
    if (stopping_) return;
    std::vector<std::string> faults;
    const bool changed = acceptances_.take_files(
        read_acceptances_in_time(configured_, clock_, resources_.workers), faults);
    complain(faults);
    reload_successful_ = faults.empty();
    if (changed && put_in_force(configured_)) log(LogLevel::info, "acceptances read again");
  }

  static void complain(const std::vector<std::string>& faults) {
    for (const std::string& fault : faults)
      log(LogLevel::error, "the configuration is not usable, the old one stays",
          {{"error", fault}});
  }

  HttpHandlers handlers(const Publisher& publisher) {
    const auto facts = [this] {
      const HttpServer* http = http_;
      return ProcessFacts{kVersion, kRevision, reload_successful_ && web_successful_,
                          http == nullptr ? 0 : http->connections(),
                          http == nullptr ? std::nullopt : http->certificate_expires()};
    };
    HttpHandlers handlers = handlers_of(publisher, history_, places_, clock_, facts,
                                        [this] { return runtime()->scheduler().ready(); });
    if (reload_by_http_) handlers.reload = [this] { return reload(); };
    return handlers;
  }

  void wait_for_the_end() {
    const sigset_t signals = handled_signals();
    for (;;) {
      int signal = 0;
      ::sigwait(&signals, &signal);
      if (signal != SIGHUP) return;
      reload();
    }
  }

  /// Ends the process in good order, so that its supervisor can start it anew.
  void end_after_failure(const std::string& what) {
    log(LogLevel::error, what);
    failed_ = true;
    ::kill(::getpid(), SIGTERM);
  }

  /// Puts the configuration into force if it is good, and keeps the old one if it is not. The new
  /// configuration takes the evidence over.
  /// @return true if it is in force.
  bool reload() {
    const MutexLock one_at_a_time(reload_mutex_);
    if (stopping_) return false;
    ReadOptions read = read_options_in_time(command_.config_path, clock_, resources_.workers);
    std::vector<std::string> faults;
    auto* options = std::get_if<Options>(&read);
    if (options == nullptr)
      faults = std::get<std::vector<std::string>>(std::move(read));
    else
      acceptances_.take_files(read_acceptances_in_time(*options, clock_, resources_.workers),
                              faults);
    if (faults.empty() && web_ != nullptr) faults = web_.load()->read();
    if (!faults.empty()) {
      complain(faults);
      reload_successful_ = false;
      return false;
    }
    web_successful_ = true;
    if (!put_in_force(*options)) {
      reload_successful_ = false;
      return false;
    }
    configured_ = std::move(*options);
    reload_successful_ = true;
    log(LogLevel::info,
        "configuration reloaded; listen, state_dir, accept_dir, servers_dir, runbooks and "
        "reload_by_http need a restart");
    return true;
  }

  /// Replaces what runs. What runs then takes the evidence over.
  /// @return false if that failed. Then what ran before runs again.
  bool put_in_force(const Options& configured) REQUIRES(reload_mutex_) {
    const auto old = runtime();
    old->scheduler().stop();
    const auto saved = std::make_shared<const SavedEvidence>(saved_evidence_of(*old->evidence()));
    const bool good = run(options_in_force(configured), saved);
    if (!good && !run(old->options(), saved))
      end_after_failure("neither the new nor the old configuration can be put in force");
    resources_.news.tell();
    return good;
  }

  /// @return false if there is no thread or memory for it, with a line in the log.
  bool run(const Options& options, const std::shared_ptr<const SavedEvidence>& saved) {
    try {
      auto fresh = std::make_shared<Runtime>(options, resources_, saved);
      fresh->scheduler().start();
      const MutexLock lock(mutex_);
      runtime_ = std::move(fresh);
      return true;
    } catch (const std::exception& error) {
      log(LogLevel::error, "a configuration cannot be put in force", {{"error", error.what()}});
      return false;
    }
  }

  const ServeCommand command_;
  const SystemClock clock_;
  ProcessResources resources_;
  OwnedStateDir owned_;
  const std::vector<ListenAddress> listen_;
  const std::vector<std::string> allowed_hosts_;
  const std::string web_config_file_;
  const std::string state_dir_;
  const std::string accept_dir_;
  const ServerFiles server_files_;  ///< at the start
  const ReportPlaces places_;
  const bool reload_by_http_;
  StandingAcceptances acceptances_;
  History history_;
  std::map<std::string, std::string> of_others_;  ///< sections of the state file
  std::atomic<bool> reload_successful_ = true;
  std::atomic<bool> web_successful_ = true;
  std::atomic<bool> failed_ = false;
  std::atomic<HttpServer*> http_ = nullptr;
  std::atomic<WebAccess*> web_ = nullptr;
  Mutex reload_mutex_;
  bool stopping_ GUARDED_BY(reload_mutex_) = false;
  Options configured_ GUARDED_BY(reload_mutex_);  ///< without further acceptances
  mutable Mutex mutex_;
  std::shared_ptr<Runtime> runtime_ GUARDED_BY(mutex_);
};

}  // namespace

ExitCode serve(const ServeCommand& command) {
  take_signals();
  const SystemClock clock;
  DisposableWorkers workers(clock);
  ReadOptions read = read_options_in_time(command.config_path, clock, workers);
  auto* options = std::get_if<Options>(&read);
  ReadAcceptances in_files =
      options != nullptr ? read_acceptances_in_time(*options, clock, workers)
                         : ReadAcceptances(std::get<std::vector<std::string>>(std::move(read)));
  if (const auto* faults = std::get_if<std::vector<std::string>>(&in_files)) {
    for (const std::string& fault : *faults) say(fault);
    return ExitCode::usage;
  }
  for (const std::string& text : command.listen) {
    const auto addresses = parse_listen_list(text);
    if (addresses.empty()) {
      say(fmt::format(
          "--listen: \"{}\" is no address and port. HINT: write it as 127.0.0.1:10187, [::1]:10187"
          " or :10187",
          text));
      return ExitCode::usage;
    }
    if (&text == &command.listen.front()) options->listen.clear();
    options->listen.insert(options->listen.end(), addresses.begin(), addresses.end());
  }
  if (!command.web_config.empty()) options->web_config_file = command.web_config;
  try {
    Exporter exporter(command, std::move(*options),
                      std::get<std::vector<ServerAcceptance>>(std::move(in_files)));
    const ExitCode code = exporter.run();
    if (exporter.threads_are_out()) leave(code);
    return code;
  } catch (const SourceError& error) {  // state_dir belongs to another process
    say(error.what());
    return ExitCode::violated;
  }
}

}  // namespace pg_integrity
