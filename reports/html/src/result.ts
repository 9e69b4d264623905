// What the program puts into the page: its JSON results, as `stepcast schema result` describes them.

export type Parts = Record<string, number>;

export interface StageMemory {
  stage: number;
  allocated_bytes: number;
  reserved_bytes: number;
  device_bytes: number;
  parts_bytes: Parts;
  peak_at_s: number;
}

export interface Claim {
  claimed: number;
  predicted: number;
  ratio: number | null;
  agrees: boolean;
}

export interface Result {
  title: string;
  step_time_s: number;
  step_time_interval_s: [number, number];
  tokens_per_s: number;
  tokens_per_s_per_gpu: number;
  model_flop_rate_per_gpu: number;
  mfu: number;
  hfu: number;
  breakdown_s: Parts;
  critical_stage: number;
  bottleneck: string;
  memory: { capacity_bytes: number; peak_bytes: number; per_stage: StageMemory[] };
  fits: boolean;
  oom_probability: number;
  cost?: Record<string, number>;
  engine: {
    name: string;
    certified: boolean;
    gpus: number;
    rank_classes: number;
    activities: number;
    settings?: string;
  };
  claims?: Record<string, Claim>;
  warnings?: string[];
}

export interface PartMove {
  from_s: number;
  to_s: number;
  change_s: number;
  share_of_change: number | null;
}

export interface Moved {
  title: string;
  breakdown: Record<string, PartMove>;
  answer: string;
}

export interface Comparison {
  scenarios: Result[];
  moved: Moved[];
}

/// `descriptions`: a few lines on each scenario; `notes`: what its engine's times rest on;
/// `caveats`: what to mind about its claims.
export interface Texts {
  descriptions: string[][];
  notes: string[];
  caveats: string[][];
}

export type Report =
  | (Texts & { kind: "predict"; result: Result | Result[] })
  | (Texts & { kind: "compare"; result: Comparison });
