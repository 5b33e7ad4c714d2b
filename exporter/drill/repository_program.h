// Runs the program of a repository, as the account that drills. Blocks; one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/io/child_process.h"

namespace pg_integrity {

class RepositoryProgram {
 public:
  /// @param base the program and its options.
  RepositoryProgram(Children& children, std::optional<Account> account,
                    std::vector<std::string> base)
      : children_(children), account_(std::move(account)), base_(std::move(base)) {}

  /// @throws SourceError{missing or permission} if there is no such program; Interrupted.
  [[nodiscard]] Ended run(const std::vector<std::string>& arguments) const;
  /// Its standard output.
  /// @throws SourceError{io} with its own words if it fails.
  [[nodiscard]] std::string output(const std::vector<std::string>& arguments) const;
  /// Makes a folder of the account, in a folder of the account.
  void make_folder(const std::string& path) const;

 private:
  Children& children_;
  std::optional<Account> account_;
  std::vector<std::string> base_;
};

/// The program's own words about how it failed.
std::string words_of(const Ended& ended);

/// The options of a configured command, without the given words and without options that begin so.
std::vector<std::string> without(std::vector<std::string> command,
                                 const std::vector<std::string>& words,
                                 const std::vector<std::string>& beginnings);

}  // namespace pg_integrity
