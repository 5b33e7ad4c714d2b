#include "exporter/io/child_decoder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/ports/files.h"
#include "exporter/io/child_process.h"
#include "exporter/io/decoder_wire.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

/// A backup that was opened.
struct OpenedBackup {
  Descriptor descriptor;
  struct stat facts {};
};

namespace {

/// A turn takes half a second, and longer only if the disk does not answer.
constexpr Seconds kLongestTurn{120};

SourceError cannot_open(const std::string& path, int error) {
  return {error == EACCES || error == EPERM ? Reason::permission : Reason::io,
          fmt::format("{}: {}", path, std::generic_category().message(error))};
}

double time_of(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

OpenedBackup opened_backup(const DecodeTarget& target) {
  const int kind = target.as.kind == FileKind::directory ? O_DIRECTORY : O_NONBLOCK;
  OpenedBackup opened{
      Descriptor(::open(target.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | kind))};
  if (!opened.descriptor.open()) throw cannot_open(target.path, errno);
  if (::fstat(opened.descriptor.number(), &opened.facts) != 0)
    throw cannot_open(target.path, errno);
  const bool fits = target.as.kind == FileKind::directory ? S_ISDIR(opened.facts.st_mode)
                                                          : S_ISREG(opened.facts.st_mode);
  const bool same_file = target.as.kind == FileKind::directory ||
                         (static_cast<double>(opened.facts.st_size) == target.as.size &&
                          time_of(opened.facts.st_mtim) == target.as.modified);
  if (!fits || !same_file || static_cast<double>(opened.facts.st_ino) != target.as.inode)
    throw SourceError(Reason::pending, target.path + " has changed since it was listed");
  return opened;
}

/// A name that cannot lead out of its folder.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.size() < 256 && name.front() != '.' &&
         name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

}  // namespace

struct ChildDecoder::Reading {
  DecodeTarget target;
  OpenedBackup backup;
  Descriptor socket;
  Children children;
  std::optional<Child> child;
  std::size_t digests_equal = 0;
  std::size_t files = 0;
  std::optional<std::string> differs;  ///< a file whose digest is another one

  [[nodiscard]] bool is_folder() const { return target.as.kind == FileKind::directory; }
  [[nodiscard]] std::string name() const { return target.path.substr(target.path.rfind('/') + 1); }
  Decoded go(double bytes);

 private:
  void hand_over(const std::string& name);
  void take_digest(const std::string& text);
  Decoded ended_early();
  Decoded result(const DecoderMessage& message);
  [[nodiscard]] bool changed_meanwhile() const;
};

/// Opens a file of the folder for the child.
void ChildDecoder::Reading::hand_over(const std::string& name) {
  DecoderMessage answer{DecoderWord::none};
  if (is_plain_name(name)) {
    Descriptor file(::openat(backup.descriptor.number(), name.c_str(),
                             O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    struct stat facts {};
    if (!file.open() && errno != ENOENT) {
      answer.word = DecoderWord::refuse;
      answer.text = cannot_open(target.path + "/" + name, errno).what();
    } else if (file.open() && ::fstat(file.number(), &facts) == 0 && S_ISREG(facts.st_mode)) {
      ++files;
      answer.word = DecoderWord::file;
      answer.number = static_cast<std::uint64_t>(facts.st_size);
      answer.second = target.digests.contains(name) ? 1 : 0;
      answer.descriptor = std::move(file);
    }
  }
  send_message(socket.number(), answer);
}

void ChildDecoder::Reading::take_digest(const std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return;
  const auto known = target.digests.find(text.substr(space + 1));
  if (known == target.digests.end()) return;
  if (known->second == text.substr(0, space))
    ++digests_equal;
  else if (!differs)
    differs = known->first;
}

bool ChildDecoder::Reading::changed_meanwhile() const {
  struct stat now {};
  return ::fstat(backup.descriptor.number(), &now) != 0 || now.st_size != backup.facts.st_size ||
         now.st_mtim.tv_sec != backup.facts.st_mtim.tv_sec ||
         now.st_mtim.tv_nsec != backup.facts.st_mtim.tv_nsec;
}

/// A process that was killed, or ran out of memory, says nothing about the backup.
Decoded ChildDecoder::Reading::ended_early() {
  std::string how = "went away";
  if (child->ended_within(Seconds(10))) {
    const int status = child->status();
    how = status > 128 ? fmt::format("was ended by signal {}", status - 128)
                       : fmt::format("ended with status {}", status);
  }
  Decoded result{Decoded::State::unknown};
  result.reason = Reason::io;
  result.why = "the process that reads it " + how;
  return result;
}

Decoded ChildDecoder::Reading::result(const DecoderMessage& message) {
  Decoded result;
  result.bytes = static_cast<double>(message.number);
  result.rows = static_cast<double>(message.second);
  if (message.word == DecoderWord::more) return result;
  if (changed_meanwhile()) {
    result.state = Decoded::State::unknown;
    result.reason = Reason::pending;
    result.why = "it was changed while it was read";
    return result;
  }
  if (message.word == DecoderWord::unknown) {
    result.state = Decoded::State::unknown;
    const bool known = message.number < kReasonNames.size();
    result.reason = known ? static_cast<Reason>(message.number) : Reason::internal;
    result.why = message.text;
    return result;
  }
  if (message.word == DecoderWord::damaged) {
    result.state = Decoded::State::damaged;
    const std::size_t line = message.text.find('\n');
    result.file = message.text.substr(0, line);
    result.at = static_cast<double>(message.number);
    if (line != std::string::npos) result.why = message.text.substr(line + 1);
    return result;
  }
  if (differs) {
    result.state = Decoded::State::damaged;
    result.file = *differs;
    result.why = "its bytes are not those of when it was taken (SHA-256)";
    return result;
  }
  result.state = Decoded::State::whole;
  result.covered = message.text == "covered";
  result.digest_equal = digests_equal > 0 && digests_equal == files;
  return result;
}

Decoded ChildDecoder::Reading::go(double bytes) {
  DecoderMessage go{DecoderWord::go};
  go.number = static_cast<std::uint64_t>(std::max(1.0, bytes));
  if (!send_message(socket.number(), go)) return ended_early();
  for (;;) {
    const auto message = receive_message(socket.number());
    if (!message) return ended_early();
    switch (message->word) {
      case DecoderWord::need:
        hand_over(message->text);
        break;
      case DecoderWord::digest:
        take_digest(message->text);
        break;
      case DecoderWord::more:
      case DecoderWord::whole:
      case DecoderWord::damaged:
      case DecoderWord::unknown:
        return result(*message);
      default:
        return ended_early();
    }
  }
}

ChildDecoder::ChildDecoder(DisposableWorkers& workers, const WaitableClock& clock,
                           std::string program)
    : workers_(workers), clock_(clock), program_(std::move(program)) {}

ChildDecoder::~ChildDecoder() {
  end();
}

void ChildDecoder::begin(const DecodeTarget& target) {
  end();
  auto reading = std::make_shared<Reading>();
  reading->target = target;
  const auto opened = workers_.run<std::shared_ptr<OpenedBackup>>(
      "file " + target.path, clock_.now() + kLongestTurn,
      [target] { return std::make_shared<OpenedBackup>(opened_backup(target)); });
  reading->backup = std::move(*opened);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw SourceError(Reason::limit, "no socket can be made");
  reading->socket = Descriptor(ends[0]);
  const Descriptor of_child(ends[1]);
  Command command;
  command.arguments = {program_, kDecodeSubcommand};
  command.in = of_child.number();
  command.niceness = 19;
  reading->child.emplace(reading->children, command);
  DecoderMessage first{DecoderWord::folder};
  if (!reading->is_folder()) {
    first.word = DecoderWord::file;
    first.number = static_cast<std::uint64_t>(reading->backup.facts.st_size);
    first.text = reading->name();
    first.second = target.digests.contains(first.text) ? 1 : 0;
    first.descriptor = Descriptor(::fcntl(reading->backup.descriptor.number(), F_DUPFD_CLOEXEC, 3));
    reading->files = 1;
  }
  send_message(reading->socket.number(), first);
  reading_ = std::move(reading);
}

Decoded ChildDecoder::read_on(double bytes) {
  const auto reading = reading_;
  try {
    Decoded result =
        workers_.run<Decoded>("reading of " + reading->target.path, clock_.now() + kLongestTurn,
                              [reading, bytes] { return reading->go(bytes); });
    if (result.state != Decoded::State::more) end();
    return result;
  } catch (const SourceError&) {
    end();
    throw;
  }
}

/// The child may hang in a call to the disk, and then does not even end when it is killed. A worker
/// waits for that.
void ChildDecoder::end() {
  if (!reading_) return;
  auto reading = std::exchange(reading_, nullptr);
  if (reading->child) reading->child->signal(SIGKILL);
  const std::string what = "end of the reading of " + reading->target.path;
  try {
    workers_.run<bool>(what, clock_.now() + Seconds(5), [reading = std::move(reading)]() mutable {
      reading.reset();
      return true;
    });
  } catch (const SourceError&) {
    return;  // the worker goes on waiting
  }
}

}  // namespace pg_integrity
