// Brings a backup into the work directory before anything of it runs. Every process that writes
// there is the account's own. Blocks; one thread.
#pragma once

#include <string>

#include "exporter/drill/archive_tools.h"
#include "exporter/drill/work_directory.h"
#include "exporter/io/sandbox.h"

namespace pg_integrity {

/// Copies what is in a folder into another one that exists.
/// @param from with the file `witness` in it. If the account cannot read that file, the folder's
/// owner reads, and the account writes.
/// @throws SourceError{io}; Interrupted.
void copy_folder(Children& children, const Sandbox& sandbox, const std::string& from,
                 const std::string& witness, const std::string& to);

/// Whether the restore needs a copy of the archive: it opens the files by their names, and the
/// sandbox's account cannot read them.
bool must_be_fetched(Children& children, const Sandbox& sandbox, const Archive& archive, int jobs);
/// Copies the archive into the work directory, and lets it lead there.
/// @throws SourceError{io or permission}; Interrupted.
void fetch_archive(Children& children, const Sandbox& sandbox, const WorkDirectory& work,
                   Archive& archive);

/// Runs a program of /usr/bin that changes something below one folder, as the account.
/// @param words the program's name and its arguments.
/// @throws SourceError{io} if it fails; Interrupted.
void change_in(Children& children, const Sandbox& sandbox, const std::string& folder,
               std::vector<std::string> words);

}  // namespace pg_integrity
