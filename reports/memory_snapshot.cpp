#include "reports/memory_snapshot.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <tuple>

#include "reports/pickle.h"
#include "sim/memory_clock.h"
#include "sim/memory_timeline.h"
#include "sim/reserved_memory.h"

namespace stepcast {
namespace {

// What frames say of a tensor.
struct Origin {
  MemoryPart part;
  Work work = Work::Setup;
  int micro_batch = -1;
  int instruction = 0;
  friend bool operator<(const Origin& a, const Origin& b) {
    return std::tie(a.part, a.work, a.micro_batch, a.instruction) <
           std::tie(b.part, b.work, b.micro_batch, b.instruction);
  }
};

class SnapshotWriter {
 public:
  SnapshotWriter(std::ostream& out, const FoldedProgram& folded, const Timeline& timeline,
                 int rank_class)
      : pickle_(out),
        rank_(folded.text(rank_class)),
        stage_(folded.ranks[static_cast<std::size_t>(rank_class)].program),
        clock_(folded, rank_class, timeline) {}

  void write(const CachingAllocator::Options& options) {
    const MemoryEvents events = memory_events(rank_);
    pickle_.begin_dictionary();
    pickle_.text("device_traces");
    pickle_.begin_list();
    pickle_.begin_list();
    const SteadyStep step =
        steady_step(rank_, events, options, [this](const BlockEvent& event) { trace(event); });
    pickle_.end_list();
    pickle_.end_list();
    pickle_.text("segments");
    write_segments(step, options.expandable_segments);
    pickle_.text("allocator_settings");
    pickle_.begin_dictionary();
    pickle_.entry("expandable_segments", options.expandable_segments);
    pickle_.end_dictionary();
    pickle_.text("external_annotations");
    pickle_.begin_list();
    pickle_.end_list();
    pickle_.end_dictionary();
    pickle_.finish();
  }

 private:
  Origin origin(const BlockEvent& event) const {
    const MemoryPart part = rank_.tensors[static_cast<std::size_t>(event.event.tensor)].part;
    return {part, event.slot.work, event.slot.micro_batch,
            event.slot.first_instruction + event.event.instruction};
  }

  void trace(const BlockEvent& event) {
    const auto time =
        static_cast<std::int64_t>(std::llround(clock_.time(event.slot, event.event).value() * 1e6));
    if (event.event.kind == InstructionKind::Allocate) {
      trace("alloc", event, time);
    } else {
      trace("free_requested", event, time);
      trace("free_completed", event, time);
    }
  }

  void trace(const char* action, const BlockEvent& event, std::int64_t time_us) {
    pickle_.begin_dictionary();
    pickle_.entry("action", action);
    pickle_.entry("addr", kFirstAddress + event.address);
    pickle_.entry("size", event.requested);
    pickle_.entry("stream", std::int64_t{0});
    pickle_.entry("time_us", time_us);
    pickle_.text("frames");
    write_frames(origin(event));
    pickle_.end_dictionary();
  }

  void write_frames(const Origin& origin) {
    const auto [known, added] = frames_.try_emplace(origin, 0);
    if (!added) return pickle_.again(known->second);
    std::string work(word(origin.work));
    if (origin.micro_batch >= 0) work += fmt::format(" of micro-batch {}", origin.micro_batch);
    pickle_.begin_list();
    write_frame(word(origin.part), 0);
    write_frame(work, origin.instruction);
    pickle_.end_list();
    known->second = pickle_.remember();
  }

  void write_frame(std::string_view name, int line) {
    pickle_.begin_dictionary();
    pickle_.entry("filename", fmt::format("stage {}", stage_));
    pickle_.entry("line", std::int64_t{line});
    pickle_.entry("name", name);
    pickle_.end_dictionary();
  }

  void write_segments(const SteadyStep& step, bool expandable) {
    std::map<std::int64_t, MemoryPart> parts;
    for (const ResidentBlock& block : step.residents) parts.emplace(block.address, block.part);
    pickle_.begin_list();
    for (const CachingAllocator::Segment& segment : step.allocator.segments()) {
      if (segment.size > 0) write_segment(segment, step.allocator, parts, expandable);
    }
    pickle_.end_list();
  }

  void write_segment(const CachingAllocator::Segment& segment, const CachingAllocator& allocator,
                     const std::map<std::int64_t, MemoryPart>& parts, bool expandable) {
    std::int64_t in_use = 0;
    std::int64_t requested = 0;
    pickle_.begin_dictionary();
    pickle_.text("blocks");
    pickle_.begin_list();
    for (auto id = segment.first; id >= 0; id = allocator.block(id).next) {
      const CachingAllocator::Block& block = allocator.block(id);
      write_block(block, parts);
      if (block.requested > 0) in_use += block.size;
      requested += block.requested;
    }
    pickle_.end_list();
    pickle_.entry("device", std::int64_t{0});
    pickle_.entry("address", kFirstAddress + segment.address);
    pickle_.entry("total_size", segment.size);
    pickle_.entry("allocated_size", in_use);
    pickle_.entry("active_size", in_use);
    pickle_.entry("requested_size", requested);
    pickle_.entry("stream", std::int64_t{0});
    pickle_.entry("segment_type", segment.small ? "small" : "large");
    pickle_.text("segment_pool_id");
    pickle_.integer(0);
    pickle_.integer(0);
    pickle_.pair();
    pickle_.entry("is_expandable", expandable);
    pickle_.text("frames");
    pickle_.begin_list();
    pickle_.end_list();
    pickle_.end_dictionary();
  }

  void write_block(const CachingAllocator::Block& block,
                   const std::map<std::int64_t, MemoryPart>& parts) {
    const bool in_use = block.requested > 0;
    pickle_.begin_dictionary();
    pickle_.entry("address", kFirstAddress + block.address);
    pickle_.entry("size", block.size);
    pickle_.entry("requested_size", block.requested);
    pickle_.entry("state", in_use ? "active_allocated" : "inactive");
    pickle_.text("frames");
    if (in_use) {
      write_frames({parts.at(block.address)});
    } else {
      pickle_.begin_list();
      pickle_.end_list();
    }
    pickle_.end_dictionary();
  }

  // CUDA's addresses are never 0.
  static constexpr std::int64_t kFirstAddress = std::int64_t{1} << 40;

  PickleWriter pickle_;
  const RankProgram& rank_;
  int stage_;
  MemoryClock clock_;
  std::map<Origin, int> frames_;
};

}  // namespace

void write_memory_snapshot(std::ostream& out, const Scenario& scenario, const SimulatedStep& step,
                           const StepReport& report) {
  const AllocatorSettings settings{.expandable_segments = scenario.job.runtime.expandable_segments,
                                   .capacity = scenario.cluster.node.gpu.memory};
  const int rank_class = class_of_stage(step.folded, report.memory.peak_stage);
  SnapshotWriter(out, step.folded, step.run.timeline, rank_class)
      .write(allocator_options(settings, step.folded.text(rank_class)));
}

}  // namespace stepcast
