#include "sim/search/message_passing.h"

#include <dlfcn.h>

#include <filesystem>
#include <stdexcept>

namespace stepcast {
namespace {

// As installed, beside the program's folder; as built, in it.
constexpr const char* places[] = {STEPCAST_INSTALLED_MPI_MODULE, STEPCAST_BUILT_MPI_MODULE};

// SimGrid, which the program is linked to, brings an MPI of its own (SMPI): the module has to find
// the names of the one that it is linked to first.
constexpr int module_first = RTLD_NOW | RTLD_GLOBAL | RTLD_DEEPBIND;

void* load_module() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  std::string problem;
  for (const char* place : places) {
    const std::string file = (program / place).string();
    if (!std::filesystem::exists(file)) continue;
    if (void* module = ::dlopen(file.c_str(), module_first)) return module;
    problem = ::dlerror();
  }
  throw std::runtime_error(problem.empty()
                               ? "this stepcast was built without MPI, but runs under mpirun"
                               : "cannot load the MPI module: " + problem);
}

}  // namespace

std::unique_ptr<MessagePassing> join_mpi_job() {
  using Join = MessagePassing* (*)();
  const auto join = reinterpret_cast<Join>(::dlsym(load_module(), "stepcast_join_mpi_job"));
  if (join == nullptr) throw std::runtime_error("the MPI module is of another version");
  return std::unique_ptr<MessagePassing>(join());
}

}  // namespace stepcast
