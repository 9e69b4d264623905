#include "sim/bottleneck.h"

#include <fmt/format.h>

#include <string_view>

namespace stepcast {
namespace {

std::string_view phrase(Activity activity) {
  switch (activity) {
    case Activity::Compute:
      return "compute";
    case Activity::TensorCommunication:
      return "tensor-parallel communication";
    case Activity::ContextCommunication:
      return "context-parallel communication";
    case Activity::ExpertCommunication:
      return "expert-parallel communication";
    case Activity::PipelineCommunication:
      return "messages between pipeline stages";
    case Activity::PipelineBubble:
      return "the pipeline bubble";
    case Activity::DataCommunication:
      return "data-parallel communication that nothing hides";
    case Activity::HostTransfer:
      return "transfers to and from the host";
    case Activity::Optimizer:
      return "the optimizer step";
    case Activity::Other:
      return "the host (launches and once-a-step work)";
  }
  return {};
}

Activity largest_loss(const StepReport& report) {
  Activity largest = Activity::Other;
  for (int a = 0; a < kNumActivities; ++a) {
    if (static_cast<Activity>(a) == Activity::Compute) continue;
    if (report.breakdown[static_cast<std::size_t>(a)] >
        report.breakdown[static_cast<std::size_t>(largest)]) {
      largest = static_cast<Activity>(a);
    }
  }
  return largest;
}

}  // namespace

std::string bottleneck_sentence(const StepReport& report) {
  const Activity loss = largest_loss(report);
  const auto share = [&](Activity activity) {
    return 100.0 * (report.breakdown[static_cast<std::size_t>(activity)] / report.step_time);
  };
  if (share(loss) > share(Activity::Compute)) {
    return fmt::format("{} takes {:.0f} % of the step, more than compute ({:.0f} %)", phrase(loss),
                       share(loss), share(Activity::Compute));
  }
  return fmt::format("compute takes {:.0f} % of the step; the largest loss is {} with {:.0f} %",
                     share(Activity::Compute), phrase(loss), share(loss));
}

}  // namespace stepcast
