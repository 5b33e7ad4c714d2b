#include "tests/drill/drilled.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "collectors/base/instant.h"
#include "exporter/commands/drill.h"
#include "exporter/drill/run.h"
#include "tests/support/paths.h"

namespace pg_integrity::test {

namespace fs = std::filesystem;

Drilled::Drilled() {
  configure({});
}

void Drilled::configure(const std::string& more, const std::string& server) const {
  records.write("exporter.toml",
                "state_dir = \"" + records.path() + "\"\n[[server]]\nname = \"test\"\ndsn = \"" +
                    database.dsn() + "\"\ndrills = { directory = \"" + records.path() + "\" }\n" +
                    server + "[[server.backups]]\nname = \"dumps\"\ndirectory = \"" + dumps.path() +
                    "\"\npattern = \"*.dump\"\nsettle = \"0s\"\nmin_size = \"0B\"\n" + more);
}

void Drilled::fill() const {
  database.run(
      "CREATE TABLE parent (id int PRIMARY KEY, name text);"
      "CREATE TABLE child (id int PRIMARY KEY, parent_id int CONSTRAINT child_parent_fkey "
      "REFERENCES parent, note text);"
      "CREATE INDEX child_parent ON child (parent_id);"
      "INSERT INTO parent SELECT i, 'parent ' || i FROM generate_series(1, 100) i;"
      "INSERT INTO child SELECT i, 1 + i % 100, md5(i::text) FROM generate_series(1, 500) i");
}

std::vector<std::string> Drilled::command(const std::vector<std::string>& options) const {
  std::vector<std::string> words{
      program(), "drill", "--config", records.path() + "/exporter.toml", "--work-dir", work.path()};
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

Finished Drilled::drill(const std::vector<std::string>& options) const {
  return run(command(options));
}

void Drilled::record(const std::string& name, const std::vector<std::string>& options) const {
  std::vector<std::string> words{"--record", "--dump", path(name)};
  words.insert(words.end(), options.begin(), options.end());
  const Finished finished = drill(words);
  ASSERT_EQ(finished.status, 0) << finished.err;
}

void Drilled::dump(const std::string& name, const std::vector<std::string>& options) const {
  std::vector<std::string> words{Cluster::programs() + "/pg_dump", "-d", database.dsn(), "-f",
                                 path(name)};
  words.insert(words.end(), options.begin(), options.end());
  const Finished finished = run(words);
  ASSERT_EQ(finished.status, 0) << finished.err;
}

std::vector<DrillRecord> Drilled::drills() const {
  WorkerFiles files(workers_, clock_.now() + Seconds(60));
  const auto read = DrillReader().read(files, SaxJson(), records.path());
  EXPECT_TRUE(read.unusable.empty());
  return read.records;
}

DrillRecord Drilled::only_drill() const {
  const auto all = drills();
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? DrillRecord() : all.front();
}

std::vector<ProofRecord> Drilled::proofs() const {
  WorkerFiles files(workers_, clock_.now() + Seconds(60));
  const auto read = ProofReader().read(files, SaxJson(), records.path());
  EXPECT_TRUE(read.unusable.empty());
  return read.records;
}

std::vector<std::string> Drilled::leftovers() const {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(work.path())) found.push_back(entry.path());
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string where = fs::read_symlink(entry.path() / "cwd", error).string();
    if (!error && where.starts_with(work.path())) found.push_back(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(records.path()))
    if (entry.path().extension() == ".new") found.push_back(entry.path());
  return found;
}

std::string reasons_of(const DrillRecord& drill) {
  std::string text;
  for (const std::string& reason : drill.reasons) text += reason + "\n";
  return text;
}

void flip_bit(const std::string& path, double where) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(static_cast<double>(fs::file_size(path)) * where);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 0x10));
}

void truncate_by(const std::string& path, std::uintmax_t bytes) {
  fs::resize_file(path, fs::file_size(path) - bytes);
}

void halve(const std::string& path) {
  fs::resize_file(path, fs::file_size(path) / 2);
}

}  // namespace pg_integrity::test
