// Collects the blocks of one pass through a run of layers: compute and collectives in a row, and
// where a layer's traffic runs beside its compute, one block for each such stretch.
#pragma once

#include <utility>

#include "models/stage_blocks.h"

namespace stepcast {

/// How long a GPU has been busy, and with how many collectives, up to some point of a passage.
struct Pace {
  Seconds busy;
  Seconds communicating;
  int collectives;
};

/// A collective of a layer: on which of the rank's groups, and what it carries.
struct Exchange {
  Group group;
  CollectiveKind kind;
  Bytes message;
  Activity activity;
};

class PassageBuilder {
 public:
  PassageBuilder(Pass pass, double slowdown, const StepContext& context, StepProgram& program,
                 RankProgram& rank)
      : pass_(pass), slowdown_(slowdown), context_(context), program_(program), rank_(rank) {}

  const StepContext& context() const { return context_; }

  /// What the instructions that follow belong to.
  void set_pass(Pass pass) { pass_ = pass; }

  /// Less than a nanosecond is rounding, or a host that is just not the bottleneck.
  void compute(Seconds duration, Activity activity = Activity::Compute);

  /// A group of one rank, or no bytes, send nothing.
  void collective(const Exchange& exchange);

  /// What `body` adds, beside the collective; both begin together, and what follows waits for both.
  /// Inside another such stretch the collective comes after it.
  template <class Body>
  void beside(const Exchange& exchange, const Body& body) {
    if (!sends(exchange) || inside_) {
      body();
      collective(exchange);
      return;
    }
    inside_ = true;
    close_block();
    const Seconds before = busy_;
    const double alone = slowdown_;
    slowdown_ *= 1.0 + context_.work.framework.communication.overlap_slowdown.value;
    body();
    slowdown_ = alone;
    close_beside(exchange, before);
    inside_ = false;
  }

  /// Tensors of the rank's table that come to life or end here.
  void allocate(const std::vector<int>& tensors);
  void free(const std::vector<int>& tensors);
  /// What a layer's backward pass needed until its end: free here, or at the passage's.
  void free_stash(const std::vector<int>& tensors);
  void hold_stashes() { holds_stashes_ = true; }

  /// Stretches what was added since `before` to the host's pace. Collectives run while the host
  /// goes on launching, unless the framework waits for them. Slow tensor collectives are a floor:
  /// they take their time whatever a layer computes and sends.
  void pace(const Pace& before, Seconds host);

  Pace mark() const { return {busy_, communicating_, collectives_}; }
  /// How many there are so far: each costs the host time.
  int collectives() const { return collectives_; }

  /// The passage, never without a block.
  Passage take();

 private:
  bool sends(const Exchange& exchange) const;
  Seconds alone(const Exchange& exchange) const;
  void add_memory(InstructionKind kind, const std::vector<int>& tensors);
  void push_block();
  void close_block();
  void close_beside(const Exchange& exchange, Seconds busy_before);

  Pass pass_;
  double slowdown_;
  bool inside_ = false;  // of a stretch beside a collective
  const StepContext& context_;
  StepProgram& program_;
  RankProgram& rank_;
  bool holds_stashes_ = false;
  std::vector<int> held_;  // stashes that end with the passage
  Passage passage_;
  Block block_;
  Seconds busy_;           // all that the GPU does alone
  Seconds communicating_;  // the collectives of it
  int collectives_ = 0;
};

}  // namespace stepcast
