// Options of Megatron-LM (megatron/training/arguments.py) that say the same as one key of a
// scenario: read by the import, written by the export. Private to scenarios/import.
#pragma once

#include <array>
#include <string_view>

namespace stepcast {

struct CountOption {
  const char* option;
  const char* pointer;
  int unless_said;  ///< what both mean by saying nothing; 0: the option is always written
};

inline constexpr std::array<CountOption, 31> megatron_counts{{
    {"--num-layers", "/model/num_layers", 0},
    {"--hidden-size", "/model/hidden_size", 0},
    {"--ffn-hidden-size", "/model/ffn_hidden_size", 0},
    {"--num-attention-heads", "/model/num_attention_heads", 0},
    {"--kv-channels", "/model/head_size", 0},
    {"--vocab-size", "/model/vocab_size", 0},
    {"--q-lora-rank", "/model/q_lora_rank", 0},
    {"--kv-lora-rank", "/model/kv_lora_rank", 0},
    {"--qk-head-dim", "/model/qk_nope_head_size", 0},
    {"--qk-pos-emb-head-dim", "/model/qk_rope_head_size", 0},
    {"--v-head-dim", "/model/v_head_size", 0},
    {"--num-experts", "/model/num_experts", 0},
    {"--moe-router-topk", "/model/experts_per_token", 0},
    {"--moe-ffn-hidden-size", "/model/expert_ffn_hidden_size", 0},
    {"--moe-shared-expert-intermediate-size", "/model/shared_expert_ffn_hidden_size", 0},
    {"--moe-router-num-groups", "/model/expert_groups", 1},
    {"--moe-router-group-topk", "/model/expert_groups_per_token", 1},
    {"--mtp-num-layers", "/model/multi_token_prediction", 0},
    {"--tensor-model-parallel-size", "/plan/tensor_parallel", 1},
    {"--pipeline-model-parallel-size", "/plan/pipeline_parallel", 1},
    {"--context-parallel-size", "/plan/context_parallel", 1},
    {"--expert-model-parallel-size", "/plan/expert_parallel", 1},
    {"--expert-tensor-parallel-size", "/plan/expert_tensor_parallel", 0},
    {"--num-virtual-stages-per-pipeline-rank", "/plan/virtual_pipeline", 1},
    {"--micro-batch-size", "/batch/micro_batch", 0},
    {"--global-batch-size", "/batch/global_batch", 0},
    {"--seq-length", "/batch/sequence_length", 0},
    {"--max-position-embeddings", "/model/max_sequence_length", 0},
    {"--nnodes", "/cluster/nodes", 0},
    {"--nproc-per-node", "/cluster/gpus_per_node", 0},
    {"--num-query-groups", "/model/num_query_groups", 0},
}};

struct SwitchOption {
  const char* option;
  const char* pointer;
  bool means;  ///< the key's value where the option is given; else the other one
};

inline constexpr std::array<SwitchOption, 9> megatron_switches{{
    {"--swiglu", "/model/gated_mlp", true},
    {"--untie-embeddings-and-output-weights", "/model/tied_embeddings", false},
    {"--disable-bias-linear", "/model/linear_bias", false},
    {"--sequence-parallel", "/plan/sequence_parallel", true},
    {"--overlap-grad-reduce", "/plan/overlap_gradient_reduce", true},
    {"--overlap-param-gather", "/plan/overlap_parameter_gather", true},
    {"--moe-shared-expert-overlap", "/plan/overlap_shared_experts", true},
    {"--account-for-embedding-in-pipeline-split", "/plan/account_for_embedding_in_pipeline_split",
     true},
    {"--account-for-loss-in-pipeline-split", "/plan/account_for_loss_in_pipeline_split", true},
}};

/// A word of a scenario and the option's value for it.
struct WordPair {
  std::string_view word;
  std::string_view value;
};

struct WordOption {
  const char* option;
  const char* pointer;
  std::array<WordPair, 4> words;  ///< the first of a value is what the import reads
};

inline constexpr std::array<WordOption, 6> megatron_words{{
    {"--position-embedding-type",
     "/model/position_embedding",
     {{{"learned", "learned_absolute"},
       {"rotary", "rope"},
       {"rotary", "yarn"},
       {"alibi", "alibi"}}}},
    {"--attention-backend",
     "/attention",
     {{{"flash2", "flash"}, {"flash2", "fused"}, {"unfused", "unfused"}, {"unfused", "local"}}}},
    {"--cp-comm-type",
     "/plan/context_parallel_algorithm",
     {{{"ring", "p2p"}, {"all_gather", "allgather"}, {"all_to_all", "a2a"}, {"", ""}}}},
    {"--moe-token-dispatcher-type",
     "/plan/expert_dispatch",
     {{{"all_to_all", "alltoall"}, {"once_per_node", "flex"}, {"", ""}, {"", ""}}}},
    {"--optimizer",
     "/optimizer",
     {{{"adamw", "adam"}, {"sgd_momentum", "sgd"}, {"muon", "muon"}, {"", ""}}}},
    {"--recompute-granularity",
     "/plan/recompute",
     {{{"full", "full"}, {"selective", "selective"}, {"", ""}, {"", ""}}}},
}};

}  // namespace stepcast
