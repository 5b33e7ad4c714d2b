// Further servers, from the files of `servers_dir`: *.toml with [[server]] tables, and *.json in
// the format of Prometheus' file_sd, which many tools write. Safe on any thread.
//
//   [{"targets": ["db1:5432", "[::1]:5433"], "labels": {"server": "shop", "dbname": "shop"}}]
//
// Each target is a server. Its name is the label `server`, else the target itself. Its connection
// string is `targets_dsn` with host and port of the target, and with the label `dbname`. Other
// labels are ignored.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "collectors/base/settings.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// The files that are read, in the order of their names. A directory that is missing has none.
/// Blocks.
/// @throws std::filesystem::filesystem_error if the directory is there and cannot be read.
std::vector<std::string> server_files(const std::string& directory);

/// Adds the servers of these files to those in `settings`. Blocks.
/// @param settings the configuration file's own.
/// @param beside the directory of the configuration file.
ServerFiles add_server_files(const std::filesystem::path& beside, Settings& settings,
                             Problems& problems);

}  // namespace pg_integrity
