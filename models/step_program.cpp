#include "models/step_program.h"

namespace stepcast {

std::string_view word(Activity activity) {
  switch (activity) {
    case Activity::Compute:
      return "compute";
    case Activity::TensorCommunication:
      return "tensor_communication";
    case Activity::ContextCommunication:
      return "context_communication";
    case Activity::ExpertCommunication:
      return "expert_communication";
    case Activity::PipelineCommunication:
      return "pipeline_communication";
    case Activity::PipelineBubble:
      return "pipeline_bubble";
    case Activity::DataCommunication:
      return "data_communication";
    case Activity::HostTransfer:
      return "host_transfer";
    case Activity::Optimizer:
      return "optimizer";
    case Activity::Other:
      return "other";
  }
  return {};
}

std::string_view word(Stream stream) {
  switch (stream) {
    case Stream::Compute:
      return "compute";
    case Stream::Data:
      return "data";
    case Stream::SendForward:
      return "send_forward";
    case Stream::ReceiveForward:
      return "receive_forward";
    case Stream::SendBackward:
      return "send_backward";
    case Stream::ReceiveBackward:
      return "receive_backward";
    case Stream::HostToDevice:
      return "host_to_device";
    case Stream::DeviceToHost:
      return "device_to_host";
    case Stream::HostCompute:
      return "host_compute";
    case Stream::SendForwardUp:
      return "send_forward_up";
    case Stream::ReceiveForwardUp:
      return "receive_forward_up";
    case Stream::SendBackwardUp:
      return "send_backward_up";
    case Stream::ReceiveBackwardUp:
      return "receive_backward_up";
    case Stream::Exchange:
      return "exchange";
  }
  return {};
}

std::string_view word(Work work) {
  switch (work) {
    case Work::Forward:
      return "forward";
    case Work::Backward:
      return "backward";
    case Work::InputGradient:
      return "input_gradient";
    case Work::WeightGradient:
      return "weight_gradient";
    case Work::GradientReduce:
      return "gradient_reduce";
    case Work::ParameterGather:
      return "parameter_gather";
    case Work::GradientNorm:
      return "gradient_norm";
    case Work::OptimizerStep:
      return "optimizer_step";
    case Work::Setup:
      return "setup";
  }
  return {};
}

std::string_view word(MemoryPart part) {
  switch (part) {
    case MemoryPart::Weights:
      return "weights";
    case MemoryPart::Gradients:
      return "gradients";
    case MemoryPart::Optimizer:
      return "optimizer";
    case MemoryPart::Activations:
      return "activations";
    case MemoryPart::Logits:
      return "logits";
    case MemoryPart::Temporary:
      return "temporary";
    case MemoryPart::Workspace:
      return "workspace";
    case MemoryPart::Context:
      return "context";
    case MemoryPart::Fragmentation:
      return "fragmentation";
  }
  return {};
}

}  // namespace stepcast
