#include "exporter/app.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "exporter/clock.h"
#include "exporter/config.h"
#include "exporter/http_server.h"
#include "exporter/logging.h"
#include "exporter/publisher.h"
#include "exporter/report.h"
#include "exporter/runtime.h"
#include "exporter/state.h"
#include "exporter/state_keeper.h"
#include "exporter/version.h"

namespace pg_integrity {

namespace {

ReadOptions read_options(const std::string& path) {
  return path.empty() ? configuration_from_environment() : read_configuration(path);
}

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

/// From here on all threads leave these signals to sigwait().
void take_signals() {
  const sigset_t signals = handled_signals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

/// A second SIGTERM or SIGINT ends the process at once.
void give_signals_back() {
  sigset_t signals = handled_signals();
  sigdelset(&signals, SIGHUP);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

/// The recorded evidence; none, after one line, if it cannot be used.
std::shared_ptr<const Record> recorded_evidence(const std::string& directory, const Clock& clock) {
  try {
    return std::make_shared<const Record>(load_state(directory, clock));
  } catch (const SourceError& error) {
    log(LogLevel::warning, "recorded evidence is not used", {{"error", error.what()}});
    return nullptr;
  }
}

/// Where evidence is kept: the directory, if it can be written; else nowhere, after one line.
std::string usable_state_dir(const std::string& directory) {
  if (::access(directory.c_str(), W_OK | X_OK) == 0) return directory;
  log(LogLevel::warning,
      "evidence will not survive a restart. HINT: create state_dir, or name another",
      {{"state_dir", directory}});
  return {};
}

class Exporter {
 public:
  Exporter(ServeCommand command, Options options)
      : command_(std::move(command)),
        machinery_(clock_),
        listen_(options.listen),
        state_dir_(usable_state_dir(options.state_dir)),
        reload_by_http_(options.reload_by_http) {
    const auto record = state_dir_.empty() ? nullptr : recorded_evidence(state_dir_, clock_);
    runtime_ = std::make_shared<Runtime>(std::move(options), machinery_, record);
    runtime_->sampler().prepare();  // the first scrape finds the recorded evidence
  }

  ExitCode run() {
    const auto evidence = [this]() -> std::shared_ptr<const Evidence> {
      return runtime()->evidence();
    };
    Publisher publisher(evidence, clock_);
    HttpServer http(handlers(publisher),
                    [this] { end_after_failure("the HTTP server ended of itself"); });
    http_ = &http;
    try {
      const int port = http.start(listen_);
      log(LogLevel::info, "listening",
          {{"url", "http://" + listen_.host + ":" + std::to_string(port) + "/"},
           {"version", kVersion}});
    } catch (const std::runtime_error& error) {
      say(error.what());
      return ExitCode::violated;
    }
    {
      const StateKeeper keeper(state_dir_, evidence, clock_, machinery_.workers);
      runtime()->sampler().start();
      wait_for_the_end();
      give_signals_back();
      log(LogLevel::info, "stopping");
      const std::lock_guard no_reload(reload_mutex_);
      stopping_ = true;
      runtime()->sampler().stop();
    }
    http.stop();
    http_ = nullptr;
    return failed_ ? ExitCode::violated : ExitCode::proven;
  }

  [[nodiscard]] bool threads_are_out() const { return machinery_.workers.given_up() > 0; }

 private:
  [[nodiscard]] std::shared_ptr<Runtime> runtime() const {
    const std::lock_guard lock(mutex_);
    return runtime_;
  }

  HttpHandlers handlers(Publisher& publisher) {
    HttpHandlers handlers;
    handlers.metrics = [this, &publisher](bool gzip) {
      const HttpServer* http = http_;
      const ProcessFacts facts{kVersion, kRevision, reload_successful_,
                               http == nullptr ? 0 : http->connections()};
      return Page(publisher.body(), facts, clock_, gzip);
    };
    const auto report = [this, &publisher] {
      return make_report(*publisher.body()->snapshot(), clock_);
    };
    handlers.report_html = [report] { return report_as_html(report()); };
    handlers.report_markdown = [report] { return report_as_markdown(report()); };
    handlers.report_json = [report] { return report_as_json(report()); };
    // The page must show the first look, too. Who was ready stays so: what a reload adds takes
    // nobody off the scrape.
    handlers.ready = [this, &publisher] {
      const auto body = publisher.body();
      const auto& collectors = body->snapshot()->collectors;
      if (runtime()->sampler().ready() &&
          std::all_of(collectors.begin(), collectors.end(),
                      [](const auto& collector) { return collector->health.attempted; }))
        ready_ = true;
      return ready_.load();
    };
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

  /// Ends the process in good order, for its supervisor to start it anew.
  void end_after_failure(const std::string& what) {
    log(LogLevel::error, what);
    failed_ = true;
    ::kill(::getpid(), SIGTERM);
  }

  /// Puts the configuration into force if it is good; keeps the old one if not. Evidence goes
  /// along.
  bool reload() {
    const std::lock_guard one_at_a_time(reload_mutex_);
    if (stopping_) return false;
    ReadOptions read = read_options(command_.config_path);
    if (const auto* lines = std::get_if<std::vector<std::string>>(&read)) {
      for (const std::string& line : *lines)
        log(LogLevel::error, "the configuration is not usable, the old one stays",
            {{"error", line}});
      reload_successful_ = false;
      return false;
    }
    Options options = std::get<Options>(std::move(read));
    const auto old = runtime();
    old->sampler().stop();
    const auto record = std::make_shared<const Record>(record_of(*old->evidence()));
    const auto before = old->evidence()->snapshot();
    std::shared_ptr<Runtime> fresh;
    try {
      fresh = std::make_shared<Runtime>(std::move(options), machinery_, record, before.get());
      fresh->sampler().start();
    } catch (const std::exception& error) {  // no thread or memory to be had
      end_after_failure("the configuration cannot be put in force: " + std::string(error.what()));
      return false;
    }
    {
      const std::lock_guard lock(mutex_);
      runtime_ = std::move(fresh);
    }
    reload_successful_ = true;
    log(LogLevel::info,
        "configuration reloaded; listen, state_dir and reload_by_http need a restart");
    return true;
  }

  const ServeCommand command_;
  const SystemClock clock_;
  Machinery machinery_;
  const ListenAddress listen_;
  const std::string state_dir_;
  const bool reload_by_http_;
  std::atomic<bool> reload_successful_ = true;
  std::atomic<bool> failed_ = false;
  std::atomic<bool> ready_ = false;
  std::atomic<HttpServer*> http_ = nullptr;
  std::mutex reload_mutex_;
  bool stopping_ = false;  ///< under reload_mutex_
  mutable std::mutex mutex_;
  std::shared_ptr<Runtime> runtime_;
};

ExitCode exit_code(const Report& report) {
  switch (report.overall) {
    case State::violated:
      return ExitCode::violated;
    case State::proven:
      return ExitCode::proven;
    default:
      return ExitCode::unproven;
  }
}

std::string rendered(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::text:
      return report_as_text(report);
    case ReportFormat::markdown:
      return report_as_markdown(report);
    case ReportFormat::json:
      return report_as_json(report);
  }
  return {};
}

/// Samples once; ends early, with its queries cancelled, at SIGINT or SIGTERM.
bool sample_once(Sampler& sampler) {
  std::atomic<bool> done = false;
  std::thread sampling([&] {
    sampler.run_once();
    done = true;
  });
  const sigset_t signals = handled_signals();
  const timespec nap{0, 20'000'000};
  bool interrupted = false;
  while (!done && !interrupted) interrupted = ::sigtimedwait(&signals, nullptr, &nap) > 0;
  if (interrupted) sampler.cancel();
  sampling.join();
  return !interrupted;
}

}  // namespace

void say(const std::string& line) {
  std::fprintf(stderr, "pg_integrity_exporter: %s\n", line.c_str());
}

std::optional<Options> options_or_complain(const std::string& config_path) {
  ReadOptions read = read_options(config_path);
  if (auto* options = std::get_if<Options>(&read)) return std::move(*options);
  for (const std::string& line : std::get<std::vector<std::string>>(read)) say(line);
  return std::nullopt;
}

void leave(ExitCode code) {
  std::fflush(nullptr);
  std::_Exit(static_cast<int>(code));
}

ExitCode serve(const ServeCommand& command) {
  auto options = options_or_complain(command.config_path);
  if (!options) return ExitCode::usage;
  if (!command.listen.empty()) {
    const auto listen = parse_listen(command.listen);
    if (!listen) {
      say("--listen: \"" + command.listen +
          "\" is no address and port. HINT: write it as 127.0.0.1:10187, [::1]:10187 or :10187");
      return ExitCode::usage;
    }
    options->listen = *listen;
  }
  take_signals();
  ExitCode code{};
  {
    auto exporter = std::make_unique<Exporter>(command, std::move(*options));
    code = exporter->run();
    if (exporter->threads_are_out()) leave(code);
  }
  return code;
}

ExitCode check(const CheckCommand& command) {
  auto options = options_or_complain(command.config_path);
  if (!options) return ExitCode::usage;
  take_signals();
  const SystemClock clock;
  auto machinery = std::make_unique<Machinery>(clock);
  const auto record = recorded_evidence(options->state_dir, clock);
  Runtime runtime(std::move(*options), *machinery, record);
  if (command.recorded)
    runtime.sampler().prepare();
  else if (!sample_once(runtime.sampler()))
    leave(ExitCode::unproven);
  const Report report = make_report(*runtime.evidence()->snapshot(), clock);
  const std::string text = rendered(report, command.format);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (machinery->workers.given_up() > 0) leave(exit_code(report));
  return exit_code(report);
}

ExitCode check_config(const std::string& config_path) {
  const auto options = options_or_complain(config_path);
  if (!options) return ExitCode::usage;
  for (const ServerOptions& server : options->servers) {
    std::printf("server %s: %zu collectors\n", server.name.c_str(), server.collectors.size());
    for (const NotWatched& unwatched : server.not_watched)
      std::printf("  not watched: %s. HINT: %s\n", std::string(unwatched.spec->name).c_str(),
                  unwatched.hint.c_str());
  }
  return ExitCode::proven;
}

}  // namespace pg_integrity
