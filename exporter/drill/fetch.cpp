#include "exporter/drill/fetch.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "exporter/io/child_process.h"
#include "exporter/io/descriptor.h"

namespace pg_integrity {

namespace {

constexpr Seconds kLongestCopy{30.0 * 86400};

void must_succeed(const Ended& ended) {
  if (!ended.good()) throw SourceError(Reason::io, "copying failed: " + ended.last_word());
}

/// One account packs, and another one unpacks.
void copy_between(Children& children, const Sandbox& sandbox, const Account& reader,
                  const std::string& from, const std::string& to) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw SourceError(Reason::limit, "no pipe can be made");
  Descriptor out(ends[0]);
  Descriptor in(ends[1]);
  Command pack;
  pack.account = reader;
  pack.arguments = {path_of_program("tar"), "-C", from, "-cf", "-", "."};
  pack.out = in.number();
  Command unpack;
  unpack.arguments = {path_of_program("tar"), "-C", to, "--no-same-owner", "-xf", "-"};
  unpack.in = out.number();
  SandboxView reads, writes;
  reads.readable = {from};
  writes.writable = {to};
  Child packer(children, sandbox.around(pack, reads));
  Child unpacker(children, sandbox.around(unpack, writes));
  in.close();
  out.close();
  while (!unpacker.ended_before_news_of(packer)) packer.ended_within(Seconds(0));
  must_succeed(packer.wait(kLongestCopy));
  must_succeed(unpacker.wait(kLongestCopy));
}

}  // namespace

void copy_folder(Children& children, const Sandbox& sandbox, const std::string& from,
                 const std::string& witness, const std::string& to) {
  const auto reader = reader_of(children, sandbox.account(), from + "/" + witness);
  if (reader && reader->uid != sandbox.account()->uid)
    return copy_between(children, sandbox, *reader, from, to);
  Command command;
  command.arguments = {path_of_program("cp"), "-R", "--reflink=auto", from + "/.", to};
  SandboxView view;
  view.readable = {from};
  view.writable = {to};
  must_succeed(run(children, sandbox.around(command, view), kLongestCopy));
}

bool must_be_fetched(Children& children, const Sandbox& sandbox, const Archive& archive, int jobs) {
  const bool by_name =
      archive.form == ArchiveForm::directory ||
      (archive.form == ArchiveForm::custom && archive.decompressor.empty() && jobs > 1);
  return by_name && !can_read(children, sandbox.account(), archive.beginning());
}

void fetch_archive(Children& children, const Sandbox& sandbox, const WorkDirectory& work,
                   Archive& archive) {
  const std::string to = work.copy() + "/dump";
  if (archive.form == ArchiveForm::directory) {
    change_in(children, sandbox, work.copy(), {"mkdir", to});
    copy_folder(children, sandbox, archive.path, "toc.dat", to);
  } else {
    const Descriptor file = open_archive(archive.path);
    Command command;
    command.arguments = {path_of_program("tee"), to};
    command.in = file.number();
    SandboxView view;
    view.writable = {work.copy()};
    must_succeed(run(children, sandbox.around(command, view), kLongestCopy));
  }
  archive.path = to;
}

void change_in(Children& children, const Sandbox& sandbox, const std::string& folder,
               std::vector<std::string> words) {
  Command command;
  command.arguments = std::move(words);
  command.arguments.front() = path_of_program(command.arguments.front());
  SandboxView view;
  view.writable = {folder};
  const Ended ended = run(children, sandbox.around(command, view), kLongestCopy);
  if (!ended.good()) throw SourceError(Reason::io, folder + ": " + ended.last_word());
}

}  // namespace pg_integrity
