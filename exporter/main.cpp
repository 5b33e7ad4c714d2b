#include "exporter/commands/cli.h"

int main(int argc, char** argv) {
  return pg_integrity::run_command_line(argc, argv);
}
