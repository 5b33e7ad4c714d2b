// Known damage that is accepted outside of the configuration file: in the files of `accept_dir`, or
// by a text that somebody sends to the running exporter. Both have the same form:
//
//   [[accept]]
//   server = "shop"
//   object = "orphans/public.orders.orders_customer_fkey"
//   until = 2026-12-31
//   reason = "mended with the next release"
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/options/accept.h"
#include "exporter/config/options.h"

namespace pg_integrity {

/// Acceptances, or one line for each fault.
using ReadAcceptances = std::variant<std::vector<ServerAcceptance>, std::vector<std::string>>;

/// Reads the files of `options.accept_dir`. A directory that is missing has no files. Blocks.
ReadAcceptances read_acceptances(const Options& options);

/// Reads a text of that form.
/// @param name stands for a file in messages.
ReadAcceptances parse_acceptances(const std::string& text, const std::string& name,
                                  const Options& options);

/// One acceptance in that form. read_acceptances() understands it.
std::string as_toml(const ServerAcceptance& acceptance);

/// Puts acceptances in force. One that comes later counts before one of the same object that is
/// there already. Those whose time is over are left out.
void add_acceptances(std::span<const ServerAcceptance> acceptances, UnixTime now, Options& options);

}  // namespace pg_integrity
