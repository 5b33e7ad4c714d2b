#include "exporter/io/sandbox.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

namespace fs = std::filesystem;

constexpr Seconds kTrial{20};
constexpr std::array<std::string_view, 2> kSystemFolders{"/usr/lib", "/usr/share"};
/// They are links or folders, or are not there at all.
constexpr std::array<std::string_view, 8> kLibraries{"/usr/lib64", "/usr/lib32",    "/usr/libx32",
                                                     "/lib",       "/lib64",        "/lib32",
                                                     "/libx32",    "/usr/local/lib"};
/// The dynamic linker, time zones and dictionaries of the text search read them.
constexpr std::array<std::string_view, 4> kSystemFiles{"/etc/ld.so.cache", "/etc/alternatives",
                                                       "/etc/localtime", "/var/cache/postgresql"};

/// Tried in this order. bubblewrap before 0.8 cannot forbid further namespaces, and the kernel
/// refuses a /proc where that of the machine is masked, as in many containers.
const std::vector<std::vector<const char*>> kTried{
    {"--disable-userns", "--proc", "/proc"}, {"--proc", "/proc"}, {}};

bool is_below(const std::string& path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool is_system_folder(const std::string& path) {
  for (const std::string_view folder : kSystemFolders)
    if (path == folder || is_below(path, folder)) return true;
  return false;
}

class Arguments {
 public:
  explicit Arguments(const std::string& program) : words_{program} {}

  void add(std::initializer_list<std::string> words) {
    words_.insert(words_.end(), words.begin(), words.end());
  }
  void show(const std::string& path) { add({"--ro-bind", path, path}); }
  /// Shows what is there as what it is. A link stays one.
  void show_if_there(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::symlink_status(path, error);
    if (fs::is_symlink(status))
      add({"--symlink", fs::read_symlink(path, error).string(), path});
    else if (fs::exists(status))
      show(path);
  }
  /// A program of PostgreSQL needs the folders beside its own.
  void show_program(const std::string& path) {
    if (is_system_folder(path)) return;
    const fs::path folder = fs::path(path).parent_path();
    const bool of_system = folder == "/usr/bin" || folder == "/bin" || folder == "/usr/local/bin" ||
                           folder == "/usr/sbin" || folder == "/sbin";
    const std::string above = folder.parent_path().string();
    show(of_system || above == "/" || above.empty() ? path : above);
  }
  std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

void add_system(Arguments& arguments) {
  for (const std::string_view folder : kSystemFolders) arguments.show_if_there(std::string(folder));
  for (const std::string_view folder : kLibraries) arguments.show_if_there(std::string(folder));
  for (const std::string_view file : kSystemFiles) {
    // A link would lead to what is not shown.
    std::error_code error;
    const fs::path real = fs::canonical(file, error);
    if (!error) arguments.add({"--ro-bind", real.string(), std::string(file)});
  }
}

void add_named_program(Arguments& arguments, const std::string& name) {
  const std::string shown = name == "sh" ? "/bin/sh" : "/usr/bin/" + name;
  try {
    arguments.add({"--ro-bind", fs::canonical(path_of_program(name)).string(), shown});
  } catch (const SourceError&) {
    // it is not on this machine either
  }
}

std::vector<std::string> prefix_of(const SandboxLimits& limits, bool count_processes) {
  std::vector<std::string> words{path_of_program("prlimit"), "--core=0"};
  const auto add = [&](const char* option, double value) {
    if (value > 0) words.push_back(fmt::format("--{}={}", option, std::llround(value)));
  };
  add("as", limits.memory);
  add("fsize", limits.file_size);
  if (count_processes) add("nproc", limits.processes);
  words.emplace_back("--");
  return words;
}

/// The name of our own account. An account without one gets a name, since initdb asks for it.
Account shown_account(const std::optional<Account>& account) {
  if (account) return *account;
  return {"drill", ::geteuid(), ::getegid()};
}

void write_accounts(const std::string& etc, const Account& account) {
  write_readable(etc + "/passwd", fmt::format("{}:x:{}:{}::/nonexistent:/usr/sbin/nologin\n",
                                              account.name, account.uid, account.gid));
  write_readable(etc + "/group", fmt::format("{}:x:{}:\n", account.name, account.gid));
  write_readable(etc + "/nsswitch.conf", "passwd: files\ngroup: files\n");
}

/// Why the account can have no namespaces; empty if it can.
std::string why_refused(Children& children, const Sandbox& sandbox) {
  Command command;
  command.arguments = {path_of_program("true")};
  const Ended ended = run(children, sandbox.around(command, {}), kTrial);
  return ended.good() ? std::string() : ended.last_word();
}

}  // namespace

Sandbox Sandbox::none(std::optional<Account> account) {
  Sandbox sandbox;
  sandbox.account_ = std::move(account);
  return sandbox;
}

Sandbox Sandbox::with_namespaces(Children& children, std::optional<Account> account,
                                 const std::string& etc) {
  Sandbox sandbox;
  sandbox.bubblewrap_ = path_of_program("bwrap");
  sandbox.account_ = std::move(account);
  sandbox.etc_ = etc;
  write_accounts(etc, shown_account(sandbox.account_));
  std::string why;
  for (const auto& more : kTried) {
    sandbox.more_.assign(more.begin(), more.end());
    why = why_refused(children, sandbox);
    if (why.empty()) return sandbox;
  }
  throw SourceError(Reason::missing, why);
}

Command Sandbox::around(Command command, const SandboxView& view) const {
  if (!command.account) command.account = account_;
  command.expendable = true;
  std::vector<std::string> inner = prefix_of(limits_, isolates());
  inner.insert(inner.end(), command.arguments.begin(), command.arguments.end());
  if (!isolates()) {
    command.arguments = std::move(inner);
    return command;
  }
  Arguments outer(bubblewrap_);
  outer.add({"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts",
             "--unshare-cgroup-try", "--die-with-parent", "--new-session"});
  if (!view.network) outer.add({"--unshare-net"});
  add_system(outer);
  for (const char* name : {"passwd", "group", "nsswitch.conf"})
    outer.add({"--ro-bind", etc_ + "/" + name, std::string("/etc/") + name});
  if (view.network)
    for (const char* name : {"/etc/resolv.conf", "/etc/hosts", "/etc/ssl", "/etc/ca-certificates"})
      outer.add({"--ro-bind-try", name, name});
  for (const std::string& word : more_) outer.add({word});
  outer.add({"--dev", "/dev"});
  outer.show_program(inner.front());
  outer.show_program(command.arguments.front());
  for (const std::string& name : view.programs) add_named_program(outer, name);
  for (const std::string& path : view.readable) outer.show(path);
  for (const std::string& path : view.writable) outer.add({"--bind", path, path});
  // What was made in memory to mount on must not be written.
  outer.add({"--remount-ro", "/dev", "--remount-ro", "/", "--chdir", command.directory, "--"});
  command.arguments = outer.take();
  command.arguments.insert(command.arguments.end(), inner.begin(), inner.end());
  command.directory = "/";
  return command;
}

void write_readable(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file || ::chmod(path.c_str(), 0644) != 0)
    throw SourceError(Reason::io, path + " cannot be written");
}

bool can_read(Children& children, const std::optional<Account>& account, const std::string& path) {
  Command command;
  command.account = account;
  command.arguments = {path_of_program("test"), "-r", path};
  return run(children, command, kTrial).good();
}

std::optional<Account> reader_of(Children& children, const std::optional<Account>& account,
                                 const std::string& path) {
  struct stat facts {};
  if (!account || can_read(children, account, path) || ::stat(path.c_str(), &facts) != 0)
    return account;
  return Account{account->name, facts.st_uid, facts.st_gid};
}

}  // namespace pg_integrity
