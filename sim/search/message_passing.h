// Messages between the ranks of a job that was started on several machines. The program itself is
// not linked to MPI: a module beside it is, and is loaded only where a job runs under mpirun.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace stepcast {

class MessagePassing {
 public:
  virtual ~MessagePassing() = default;  ///< waits until all ranks have come to their end

  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void send(int to, std::string_view message) = 0;

  struct Message {
    int from = 0;
    std::string text;
  };
  /// The next message that has arrived; does not wait.
  virtual std::optional<Message> receive() = 0;
};

/// Loads the module and joins the job. Throws std::runtime_error where there is no such module or
/// MPI refuses.
std::unique_ptr<MessagePassing> join_mpi_job();

}  // namespace stepcast
