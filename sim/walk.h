// How a stream walks through its instructions, stepping into blocks that are not fused: shared by
// both engines.
#pragma once

#include "sim/fusing.h"

namespace stepcast {

/// The position of one stream. `current()` is the instruction to run next, a Call only where its
/// block is fused; `outer()` is the position in the stream's own text.
class StreamCursor {
 public:
  StreamCursor(const FoldedProgram& folded, const FusePlan& plan, int rank_class, Stream stream)
      : text_(folded.text(rank_class)),
        instructions_(text_.stream(stream)),
        plan_(plan),
        rank_class_(rank_class) {
    enter_block();
  }

  bool done() const { return outer_ == instructions_.size(); }
  const Instruction& current() const { return body_ ? (*body_)[inner_] : instructions_[outer_]; }
  int outer() const { return static_cast<int>(outer_); }
  bool in_block() const { return body_ != nullptr; }

  /// Moves on; true when this was the last instruction of a block.
  bool advance() {
    const bool left_block = body_ && inner_ + 1 == body_->size();
    if (body_ && !left_block) {
      ++inner_;
      return false;
    }
    body_ = nullptr;
    ++outer_;
    enter_block();
    return left_block;
  }

 private:
  void enter_block() {
    while (!done() && instructions_[outer_].kind == InstructionKind::Call &&
           !plan_.at(rank_class_, instructions_[outer_].index)) {
      const auto& body = text_.blocks[static_cast<std::size_t>(instructions_[outer_].index)].body;
      if (!body.empty()) {
        body_ = &body;
        inner_ = 0;
        return;
      }
      ++outer_;
    }
  }

  const RankProgram& text_;
  const std::vector<Instruction>& instructions_;
  const FusePlan& plan_;
  int rank_class_;
  std::size_t outer_ = 0;
  std::size_t inner_ = 0;
  const std::vector<Instruction>* body_ = nullptr;
};

}  // namespace stepcast
