#include "exporter/drill/repository_program.h"

#include <pwd.h>

#include <algorithm>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLongestRun{30.0 * 86400};

std::string home_of(const Account& account) {
  const passwd* entry = ::getpwuid(account.uid);
  return entry == nullptr ? "/" : entry->pw_dir;
}

}  // namespace

std::string words_of(const Ended& ended) {
  const auto error = std::find_if(ended.errors.begin(), ended.errors.end(), [](const auto& line) {
    return line.find("ERROR") != std::string::npos;
  });
  if (error != ended.errors.end()) return *error;
  // pgBackRest 2.55 writes its errors to standard output.
  return ended.errors.empty() && !ended.out.empty() ? ended.out.substr(0, ended.out.find('\n'))
                                                    : ended.last_word();
}

std::vector<std::string> without(std::vector<std::string> command,
                                 const std::vector<std::string>& words,
                                 const std::vector<std::string>& beginnings) {
  std::erase_if(command, [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end() ||
           std::any_of(beginnings.begin(), beginnings.end(),
                       [&](const std::string& begin) { return word.starts_with(begin); });
  });
  return command;
}

Ended RepositoryProgram::run(const std::vector<std::string>& arguments) const {
  Command command;
  command.account = account_;
  command.arguments = base_;
  command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
  command.arguments.front() = path_of_program(base_.front());
  if (account_)
    command.environment["HOME"] = home_of(*account_);
  else
    command.inherited = {"HOME"};
  command.keep_out = true;
  return pg_integrity::run(children_, command, kLongestRun);
}

std::string RepositoryProgram::output(const std::vector<std::string>& arguments) const {
  const Ended ended = run(arguments);
  if (!ended.good()) throw SourceError(Reason::io, base_.front() + " says: " + words_of(ended));
  return ended.out;
}

void RepositoryProgram::make_folder(const std::string& path) const {
  Command command;
  command.account = account_;
  command.arguments = {path_of_program("mkdir"), "-m", "0700", "--", path};
  const Ended ended = pg_integrity::run(children_, command, Seconds(60));
  if (!ended.good()) throw SourceError(Reason::io, ended.last_word());
}

}  // namespace pg_integrity
