// A source database, a directory of its dumps, and drills of them by the real program.
#pragma once

#include <string>
#include <vector>

#include "collectors/recovery/drill_records.h"
#include "exporter/commands/drill.h"
#include "exporter/io/clock.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/files.h"
#include "exporter/io/json_reader.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

class Drilled {
 public:
  Drilled();

  Database database;
  TemporaryDirectory dumps;
  TemporaryDirectory records;
  TemporaryDirectory work;

  /// Writes the configuration anew.
  /// @param more lines after all others.
  /// @param server more options of the server.
  void configure(const std::string& more, const std::string& server = {}) const;
  /// Parents, children and a foreign key, with a few hundred rows.
  void fill() const;
  [[nodiscard]] std::vector<std::string> command(
      const std::vector<std::string>& options = {}) const;
  [[nodiscard]] Finished drill(const std::vector<std::string>& options = {}) const;
  /// Takes the dump NAME with its record.
  void record(const std::string& name, const std::vector<std::string>& options = {}) const;
  /// Takes a dump without a record.
  /// @param options of pg_dump.
  void dump(const std::string& name, const std::vector<std::string>& options = {"-Fc"}) const;
  [[nodiscard]] std::string path(const std::string& name) const {
    return dumps.path() + "/" + name;
  }

  [[nodiscard]] std::vector<DrillRecord> drills() const;
  /// The record of the only drill.
  [[nodiscard]] DrillRecord only_drill() const;
  [[nodiscard]] std::vector<ProofRecord> proofs() const;
  /// The directories and processes that drills have left behind, by name. Records do not count.
  [[nodiscard]] std::vector<std::string> leftovers() const;

 private:
  SystemClock clock_;
  mutable DisposableWorkers workers_{clock_};
};

/// Reasons of a drill in one text.
std::string reasons_of(const DrillRecord& drill);

/// Changes a byte at a place between 0 and 1 of the file's length.
void flip_bit(const std::string& path, double where);
void truncate_by(const std::string& path, std::uintmax_t bytes);
void halve(const std::string& path);

}  // namespace pg_integrity::test
