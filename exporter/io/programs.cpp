#include "exporter/io/programs.h"

#include <fmt/format.h>

#include <memory>

#include "collectors/base/errors.h"
#include "exporter/io/child_process.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kToldBytes = 300;  ///< of the program's error text

/// How the program failed, by its exit status and its first line on standard error. pgBackRest 2.55
/// writes its errors to standard output, so the first line there counts if the other has none.
std::string failure_of(const Ended& ended) {
  std::string text = ended.status > 128 ? fmt::format("was ended by signal {}", ended.status - 128)
                                        : fmt::format("ended with status {}", ended.status);
  const std::string told =
      ended.errors.empty() ? ended.out.substr(0, ended.out.find('\n')) : ended.errors.front();
  if (!told.empty()) text.append(": ").append(told.substr(0, kToldBytes));
  return text;
}

std::string output_now(Children& children, const ProgramRequest& request) {
  const std::string& name = request.command.front();
  Command command;
  command.arguments = request.command;
  command.arguments.front() = path_of_program(name);
  command.inherited = {"HOME"};
  command.keep_out = true;
  command.max_out = request.max_out;
  command.max_errors = 1;
  Child child(children, command);
  if (!child.ended_within(request.timeout))
    throw SourceError(Reason::timeout, name + " did not end in time");
  const Ended ended = child.wait(request.timeout);
  if (ended.out_of_bounds)
    throw SourceError(Reason::too_large,
                      fmt::format("{} prints more than {} bytes", name, request.max_out));
  if (!ended.good()) throw SourceError(Reason::io, fmt::format("{} {}", name, failure_of(ended)));
  return ended.out;
}

}  // namespace

std::string WorkerPrograms::output(const ProgramRequest& request) {
  const auto children = std::make_shared<Children>();
  try {
    return workers_.run<std::string>(
        "program " + request.command.front(), deadline_,
        [children, request] { return output_now(*children, request); });
  } catch (const SourceError&) {
    children->interrupt();  // nobody waits for the child any more
    throw;
  }
}

}  // namespace pg_integrity
