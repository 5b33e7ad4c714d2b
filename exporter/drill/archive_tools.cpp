#include "exporter/drill/archive_tools.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/recovery/archive_check.h"
#include "collectors/recovery/archive_header.h"
#include "exporter/drill/scratch_cluster.h"
#include "exporter/io/descriptor.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

namespace {

constexpr Seconds kForever{30.0 * 86400};
constexpr Seconds kAfterDamage{30};
constexpr std::size_t kMaxContents = std::size_t{64} << 20;

struct Compression {
  std::string_view magic;
  const char* program;
};
constexpr std::array<Compression, 5> kCompressions{{{"\x1f\x8b", "gzip"},
                                                    {"\x28\xb5\x2f\xfd", "zstd"},
                                                    {"\x04\x22\x4d\x18", "lz4"},
                                                    {std::string_view("\xfd"
                                                                      "7zXZ\0",
                                                                      6),
                                                     "xz"},
                                                    {"BZh", "bzip2"}}};

std::string beginning_of(const std::string& path) {
  const Descriptor file = open_archive(path);
  std::string head(kArchiveHeadBytes, '\0');
  const ssize_t count = ::read(file.number(), head.data(), head.size());
  if (count < 0)
    throw SourceError(Reason::io,
                      fmt::format("{}: {}", path, std::generic_category().message(errno)));
  head.resize(static_cast<std::size_t>(count));
  return head;
}

/// Runs a command that reads the archive from its standard input.
Ended run_with_input(Children& children, const Sandbox& sandbox, const Archive& archive,
                     Command command, const SandboxView& view) {
  Descriptor file = open_archive(archive.path);
  if (archive.decompressor.empty()) {
    command.in = file.number();
    return run(children, sandbox.around(command, view), kForever);
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SourceError(Reason::limit, "no pipe can be made");
  Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  Command decompress;
  decompress.arguments = archive.decompressor;
  decompress.in = file.number();
  decompress.out = to.number();
  decompress.niceness = command.niceness;
  Child decompressor(children, sandbox.around(decompress, {}));
  to.close();
  command.in = from.number();
  Child consumer(children, sandbox.around(command, view));
  from.close();
  while (!consumer.ended_before_news_of(decompressor)) {
    children.check();
    if (!decompressor.ended_within(Seconds(0)) || decompressor.status() == 0) continue;
    // A reader of half an archive may wait for the rest for ever.
    if (!consumer.ended_within(kAfterDamage)) consumer.signal(SIGKILL);
  }
  Ended consumed = consumer.wait(kForever);
  const Ended decompressed = decompressor.wait(kForever);
  // A reader that needs no more closes the pipe. The decompressor then ends by SIGPIPE, and that is
  // no fault.
  if (decompressed.status > 128 && decompressed.status != 128 + SIGPIPE)
    throw SourceError(Reason::limit, "the decompressor was " + decompressed.last_word());
  if (!decompressed.good() && decompressed.status != 128 + SIGPIPE) {
    consumed.status = std::max(consumed.status, 1);
    consumed.errors.push_back("pg_restore: error: " + decompressed.last_word());
  }
  return consumed;
}

/// pg_restore reads on for ever at the end of a tar archive that was cut off. So this walks through
/// the members first.
/// @throws SourceError{decode} if the archive ends early.
void require_whole_tar(const std::string& path) {
  constexpr off_t kBlock = 512;
  constexpr std::size_t kSizeAt = 124;
  constexpr std::size_t kSizeDigits = 11;
  const Descriptor file = open_archive(path);
  std::array<char, kBlock> block{};
  for (off_t at = 0; ::pread(file.number(), block.data(), block.size(), at) == kBlock;) {
    if (std::all_of(block.begin(), block.end(), [](char c) { return c == 0; })) return;
    const std::string size(block.data() + kSizeAt, kSizeDigits);
    const off_t bytes = std::strtoll(size.c_str(), nullptr, 8);
    at += kBlock + (bytes + kBlock - 1) / kBlock * kBlock;
  }
  throw SourceError(Reason::decode, path + ": the tar archive ends early");
}

ArchiveForm form_of(const std::string& path, const std::string& head) {
  if (!is_backup(head)) throw SourceError(Reason::decode, path + " is no dump");
  if (head.starts_with("PGDMP")) return ArchiveForm::custom;
  return is_archive(head) ? ArchiveForm::tar : ArchiveForm::plain;
}

/// Runs pg_restore on the archive's file. It runs nothing of the archive itself, so it may be
/// whoever can read the file.
Ended read_archive(Children& children, const Sandbox& sandbox, const Archive& archive,
                   Command command, const std::vector<std::string>& options) {
  command.arguments = {newest_program("pg_restore")};
  command.arguments.insert(command.arguments.end(), options.begin(), options.end());
  if (!archive.decompressor.empty()) return run_with_input(children, sandbox, archive, command, {});
  command.account = reader_of(children, sandbox.account(), archive.beginning());
  command.arguments.push_back(archive.path);
  SandboxView view;
  view.readable = {archive.path};
  return run(children, sandbox.around(command, view), kForever);
}

bool contains_any(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return text.find(part) != std::string::npos; });
}

/// The error message of the server or the tool; empty if the line holds none.
std::string complaint_in(const std::string& line) {
  if (const auto at = line.find("ERROR:  "); at != std::string::npos) return line.substr(at + 8);
  if (const auto at = line.find("FATAL:  "); at != std::string::npos) return line.substr(at + 8);
  if (const auto at = line.find(": error: "); at != std::string::npos) return line.substr(at + 9);
  if (const auto at = line.find("server closed the connection unexpectedly");
      at != std::string::npos)
    return line.substr(at);
  return {};
}

/// Row values come after a colon, as in 'invalid input syntax for type integer: "x"'.
std::string without_values(const std::string& complaint) {
  const bool of_a_row =
      contains_any(complaint, {"invalid input", "invalid byte", "out of range", "malformed"});
  return of_a_row ? complaint.substr(0, complaint.find(": ")) : complaint;
}

/// What breaks a restore on this machine, whatever is restored. A server that lacks memory is one.
/// pg_restore lacks it, too, where a damaged archive says that something is enormous.
bool is_an_accident(const std::string& line) {
  return contains_any(
      line, {"server closed the connection unexpectedly", "connection to server was lost",
             "terminating connection because of crash", "the database system is in recovery mode",
             "the database system is shutting down", "ERROR:  out of memory",
             "FATAL:  out of memory", "could not resize shared memory", "could not fork",
             "No space left on device", "Disk quota exceeded", "could not extend file"});
}

/// @param line with the complaint.
Blame blame_for(const std::string& complaint, const std::string& line) {
  if (is_an_accident(line)) return Blame::accident;
  const bool absent = contains_any(complaint, {" does not exist", " is not available"});
  if (contains_any(complaint, {"could not open extension control file", "could not access file \"",
                               "unsupported version (", "unrecognized configuration parameter",
                               "must be loaded via shared_preload_libraries", "invalid locale name",
                               "is not supported by the ICU library", "could not create locale"}) ||
      (absent && (complaint.starts_with("extension ") || complaint.starts_with("collation "))))
    return Blame::objects;
  if ((absent && (complaint.starts_with("role ") || complaint.starts_with("tablespace "))) ||
      contains_any(complaint, {"invalid value for parameter \"default_tablespace\"",
                               "was not found in the same directory"}))
    return Blame::surroundings;
  return Blame::backup;
}

/// Whether a plain dump made what every server has already, dropped what an empty one lacks, or
/// dropped the role that restores it, as `pg_dumpall --clean` does.
/// @param next the line that follows: psql prints the statement.
bool is_expected(const std::string& complaint, const std::string& next, const std::string& user) {
  if (complaint == "current user cannot be dropped") return true;
  if (complaint.ends_with(" already exists"))
    return complaint.starts_with("role \"" + user + "\"") ||
           complaint.starts_with("schema \"public\"") ||
           complaint.starts_with("database \"postgres\"") ||
           complaint.starts_with("database \"template1\"");
  constexpr std::string_view kStatement = "STATEMENT:  ";
  const std::size_t at = next.find(kStatement);
  if (at == std::string::npos || !complaint.ends_with(" does not exist")) return false;
  const std::string_view statement = std::string_view(next).substr(at + kStatement.size());
  return statement.starts_with("DROP ") ||
         (statement.starts_with("ALTER ") &&
          contains_any(std::string(statement),
                       {" DROP CONSTRAINT ", " DROP DEFAULT", " DETACH PARTITION "}));
}

}  // namespace

Descriptor open_archive(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.open()) return file;
  const Reason reason = errno == EACCES || errno == EPERM ? Reason::permission : Reason::io;
  throw SourceError(reason, fmt::format("{}: {}", path, std::generic_category().message(errno)));
}

Archive archive_at(Children& children, const Sandbox& sandbox, const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
    Archive archive{path, ArchiveForm::directory, {}};
    if (!is_archive(beginning_of(archive.beginning())))
      throw SourceError(Reason::decode, path + " is no dump");
    return archive;
  }
  const std::string head = beginning_of(path);
  for (const Compression& compression : kCompressions) {
    if (!head.starts_with(compression.magic)) continue;
    Archive archive{path, ArchiveForm::plain, {newest_program(compression.program), "-dc"}};
    Command command;
    command.arguments = archive.decompressor;
    const Descriptor file = open_archive(path);
    command.in = file.number();
    command.keep_out = true;
    command.max_out = kArchiveHeadBytes;
    archive.form = form_of(path, run(children, sandbox.around(command, {}), kForever).out);
    return archive;
  }
  const ArchiveForm form = form_of(path, head);
  if (form == ArchiveForm::tar) require_whole_tar(path);
  return {path, form, {}};
}

Ended list_contents(Children& children, const Sandbox& sandbox, const Archive& archive) {
  Command command;
  command.keep_out = true;
  command.max_out = kMaxContents;
  return read_archive(children, sandbox, archive, command, {"--list"});
}

Ended decode_whole(Children& children, const Sandbox& sandbox, const Archive& archive) {
  Command command;
  command.niceness = 19;
  if (archive.has_contents())
    return read_archive(children, sandbox, archive, command, {"--file=/dev/null"});
  command.arguments = {newest_program("cat")};
  command.keep_out = true;
  command.only_tail = true;
  Ended ended = run_with_input(children, sandbox, archive, command, {});
  if (ended.good() && !ends_as_plain_dump(ended.out)) {
    ended.status = 1;
    ended.errors.emplace_back("pg_restore: error: the dump ends early");
  }
  return ended;
}

Ended restore_into(Children& children, const Sandbox& sandbox, const Archive& archive,
                   const RestoreTarget& target) {
  Command command;
  command.environment = target.environment;
  if (archive.has_contents()) {
    command.arguments = {newest_program("pg_restore"), "--no-owner", "--no-privileges",
                         "--dbname=" + target.dsn};
    const bool by_path =
        archive.decompressor.empty() && can_read(children, sandbox.account(), archive.beginning());
    if (!by_path) return run_with_input(children, sandbox, archive, command, target.view);
    if (archive.form != ArchiveForm::tar && target.jobs > 1)
      command.arguments.push_back("--jobs=" + std::to_string(target.jobs));
    command.arguments.push_back(archive.path);
    SandboxView view = target.view;
    view.readable.push_back(archive.path);
    return run(children, sandbox.around(command, view), kForever);
  }
  command.arguments = {newest_program("psql"), "-Xqb", "-d", target.dsn};
  Ended ended = run_with_input(children, sandbox, archive, command, target.view);
  const Ended decoded = decode_whole(children, sandbox, archive);
  if (!decoded.good()) {
    ended.status = std::max(ended.status, 1);
    ended.errors.insert(ended.errors.end(), decoded.errors.begin(), decoded.errors.end());
  }
  return ended;
}

std::string creation_of(const std::string& contents) {
  constexpr std::string_view kWords = "; Archive created at ";
  const std::size_t at = contents.find(kWords);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kWords.size();
  return contents.substr(begin, contents.find('\n', begin) - begin);
}

std::vector<RestoreFault> faults_in(const std::vector<std::string>& errors,
                                    const std::string& user) {
  std::vector<RestoreFault> faults;
  bool extension_is_missing = false;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const std::string complaint = complaint_in(errors[i]);
    if (complaint.empty()) continue;
    if (is_expected(complaint, i + 1 < errors.size() ? errors[i + 1] : std::string(), user))
      continue;
    RestoreFault fault{blame_for(complaint, errors[i]), without_values(complaint)};
    if (fault.blame == Blame::objects)
      extension_is_missing =
          extension_is_missing || complaint.find("extension") != std::string::npos;
    else if (fault.blame == Blame::backup && extension_is_missing &&
             complaint.find(" does not exist") != std::string::npos)
      fault.blame = Blame::objects;  // what the extension would have brought
    const auto twin = std::find_if(faults.begin(), faults.end(), [&](const RestoreFault& other) {
      return other.what == fault.what;
    });
    if (twin == faults.end()) faults.push_back(std::move(fault));
  }
  return faults;
}

}  // namespace pg_integrity
