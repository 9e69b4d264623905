// Reads the result that the program put into the page and draws it.
import "./style.css";

import { calibration } from "./calibrate";
import { start } from "./chart";
import { comparison } from "./compare";
import { paragraph } from "./dom";
import { prediction, predictions } from "./predict";
import type { Report } from "./result";
import { startTables } from "./rows_table";
import { serve } from "./serve";
import type { Serve } from "./serve";
import { sweep } from "./sweep";
import { topology } from "./topology";
import { validation } from "./validate";
import { ncclValidation } from "./validate_nccl";

const titles = { predict: "prediction", compare: "comparison", sweep: "sweep",
                 calibrate: "calibration", topology: "topology", serve: "on this machine",
                 validate: "validation", validate_nccl: "validation of logs" };

function content(report: Report | Serve | null): Node[] {
  if (report === null) return [paragraph("This page is the empty form of a report.")];
  document.title = `Stepcast ${titles[report.kind]}`;
  if (report.kind === "serve") return serve(report);
  if (report.kind === "validate") return validation(report.result);
  if (report.kind === "validate_nccl") return ncclValidation(report.result);
  if (report.kind === "topology") return topology(report.result);
  if (report.kind === "calibrate") return calibration(report.result);
  if (report.kind === "sweep") return sweep(report);
  if (report.kind === "compare") {
    return comparison(report.result, report);
  }
  if (Array.isArray(report.result)) return predictions(report.result, report);
  return [prediction(report.result, report, 0, "")];
}

const data = document.getElementById("stepcast-data")?.textContent ?? "null";
document.getElementById("page")?.replaceChildren(...content(JSON.parse(data) as Report | Serve | null));
start();
startTables().then(() => { document.documentElement.dataset.drawn = "yes"; });
