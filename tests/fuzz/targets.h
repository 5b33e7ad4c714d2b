// Code of ours that reads what others write, each as a function of bytes. It may refuse them with
// the exceptions that its callers expect. It must do nothing else: no crash, no endless loop, no
// memory without bound. libFuzzer looks for bytes that break it (tests/campaign fuzz), and
// corpus_test hands it all bytes of the corpus.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace pg_integrity::test {

/// Reads the bytes. Throws nothing.
using FuzzTarget = std::function<void(std::string_view)>;

/// By name, which is also the name of the folder in tests/fuzz/corpus.
const std::map<std::string, FuzzTarget>& fuzz_targets();

}  // namespace pg_integrity::test
