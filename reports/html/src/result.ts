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

/// `links` links that carry the same.
export interface LinkLoad {
  name: string;
  links: number;
  bandwidth_bytes_per_s: number;
  carried_bytes: number;
  utilisation: number;
  activity: string;
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
  links?: LinkLoad[];
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

export interface OomCounts {
  true_positive: number;
  false_positive: number;
  true_negative: number;
  false_negative: number;
}

/// Runs whose predicted risk lies in [probability_from, probability_to), and what came of them.
export interface ReliabilityBin {
  probability_from: number;
  probability_to: number;
  mean_probability: number;
  ran: number;
  failed: number;
  failed_inferred: number;
  share_that_ran: number | null;
}

export interface ValidationFigures {
  num_runs: number;
  step_time_mape: number | null;
  step_time_median_error: number | null;
  step_time_bias: number | null;
  peak_memory_mape: number | null;
  oom: OomCounts;
  oom_inferred: OomCounts;
  interval_coverage_90: number | null;
  median_interval_width: number | null;
  oom_reliability: ReliabilityBin[];
  without_stalled?: ValidationFigures;
}

/// Times in seconds.
export interface ValidationRun {
  suite: string;
  title: string;
  predicted: number;
  measured: number | null;
  error: number | null;
  predicted_interval_s: [number, number];
  oom_probability: number;
  stalled?: boolean;
}

export interface Validation extends ValidationFigures {
  suites: (ValidationFigures & { title: string })[];
  runs: ValidationRun[];
  errors?: { suite: string; title: string; message: string }[];
}

export type Choice = string | number | boolean | null | Choice[];

/// A layout that a sweep predicted: its choices by the scenario's keys. One that failed has no
/// figures, a cluster that could not be read neither layout nor choices.
export interface LayoutRow {
  layout?: number;
  cluster: string;
  choices?: Record<string, Choice>;
  step_time_s?: number | null;
  tokens_per_s?: number | null;
  mfu?: number | null;
  bubble_fraction?: number | null;
  peak_bytes?: number | null;
  oom_probability?: number | null;
  usd_per_million_tokens?: number;
  training_hours?: number;
  training_usd?: number;
  allowed: boolean;
  engine?: string | null;
  bottleneck?: string | null;
  error?: string;
}

export interface Sweep {
  title: string;
  objective: string;
  layouts_valid: number;
  layouts_not_allowed: number;
  layouts_bounded: number;
  layouts_certified: number;
  layouts_simulated: number;
  layouts_failed: number;
  proven: boolean;
  gap?: number | null;
  best: Result | null;
  pareto_with?: string;
  pareto: Result[];
  rows: LayoutRow[];
}

export interface CalibratedConstant {
  path: string;
  prior: number;
  prior_spread: number;
  value: number;
  spread: number;
  prior_kept: number;
  additive: boolean;
}

/// A measurement in its base unit, and predicted over measured - 1.
export interface Residual {
  kind: string;
  name: string;
  file: string;
  line: number;
  measured: number;
  before: number;
  after: number;
  left_out: number;
  weight: number;
  collective: string;
  ranks: number;
}

export interface BandwidthPoint {
  residual: number;
  message_bytes: number;
  measured_bytes_per_s: number;
  before_bytes_per_s: number;
  fitted_bytes_per_s: number;
  fitted_interval_bytes_per_s: [number, number];
}

export interface BandwidthCurve {
  collective: string;
  ranks: number;
  points: BandwidthPoint[];
}

export interface CalibrationErrors {
  group: string;
  rows: number;
  median_before: number;
  p90_before: number;
  median_after: number;
  p90_after: number;
  median_left_out: number;
}

export interface Calibration {
  gpu: string;
  network: string;
  framework: string;
  converged: boolean;
  collective_noise: number;
  inputs: { file: string; format: string; hash: string; rows: number; rows_used: number;
            findings: { finding: string }[] }[];
  constants: CalibratedConstant[];
  residuals: Residual[];
  errors: CalibrationErrors[];
  bus_bandwidths: BandwidthCurve[];
}

export type LinkKind = "nvlink" | "pcie" | "socket" | "host_memory" | "nic" | "network";
export type DeviceKind = "gpu" | "nvswitch" | "pcie_switch" | "socket" | "host_memory" | "nic" |
  "network_switch" | "node";

/// `alike`: for how many it stands; `rate`: of a GPU that is slower than the others.
export interface MapDevice {
  name: string;
  kind: DeviceKind;
  alike: number;
  rate?: number;
}

/// `links` links from one device to another, each of that bandwidth. `utilisation`: of the fullest,
/// where a step is drawn.
export interface MapLink {
  from: number;
  to: number;
  kind: LinkKind;
  bandwidth_bytes_per_s: number;
  links: number;
  name: string;
  utilisation?: number;
}

export interface ClusterMap {
  devices: MapDevice[];
  links: MapLink[];
}

export interface Topology {
  title: string;
  nodes: number;
  gpus: number;
  devices: Partial<Record<DeviceKind, number>>;
  link_classes: { kind: LinkKind; bandwidth_bytes_per_s: number; links: number; name: string }[];
  node: ClusterMap;
  network?: ClusterMap;
}

/// [begin, end, number of its name, number of its activity, micro-batch]; times in seconds.
export type DrawnSpan = [number, number, number, number, number];

export interface Track {
  stage: number;
  stream: string;
  spans: DrawnSpan[];
}

/// What ran when on some of the stages, what they had allocated ([time, bytes]), and how full the
/// links are; `use` is null where nothing is sent.
export interface Drawing {
  step_time_s: number;
  stages: number;
  names: string[];
  activities: string[];
  tracks: Track[];
  memory: { stage: number; points: [number, number][] }[];
  use: { node_number: number; node: ClusterMap; network?: ClusterMap } | null;
}

/// `descriptions`: a few lines on each scenario; `notes`: what its engine's times rest on;
/// `caveats`: what to mind about its claims; `drawings`: of the first predictions.
export interface Texts {
  descriptions: string[][];
  notes: string[];
  caveats: string[][];
  drawings?: Drawing[];
}

/// Over the medians of logs; null where no row counts.
export interface NcclErrors {
  median_error: number | null;
  p90_error: number | null;
  median_error_1mib: number | null;
  p90_error_1mib: number | null;
}

export interface NcclLog {
  name: string;
  architecture: string;
  rows: { size_bytes: number; measured_s: number; predicted_s: number; error: number }[];
}

export interface NcclValidation extends NcclErrors {
  num_logs: number;
  architectures: Record<string, NcclErrors & { num_logs: number }>;
  logs: NcclLog[];
  skipped: string[];
  errors?: { name: string; message: string }[];
}

export type Report =
  | (Texts & { kind: "predict"; result: Result | Result[] })
  | (Texts & { kind: "compare"; result: Comparison })
  | (Texts & { kind: "sweep"; proof: string; left_out: string[]; result: Sweep })
  | { kind: "topology"; result: Topology }
  | { kind: "calibrate"; result: Calibration }
  | { kind: "validate_nccl"; result: NcclValidation }
  | { kind: "validate"; result: Validation };
