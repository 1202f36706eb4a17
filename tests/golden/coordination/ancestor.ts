import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeederData } from '../../../grid/model/index.js';
import {
  type AncestorOptions,
  ancestorFeeder,
  type CurtailmentProblem,
  curtailmentProblem,
  type FairnessMode,
  linearFeeder,
} from '../../../grid/optim/index.js';
import { feedersDir } from '../../feeders.js';

const folder = feedersDir === undefined ? undefined : join(feedersDir, 'extra', 'dec');
/** Whether the ancestor's public case files are at hand. */
export const hasAncestorCases =
  folder !== undefined && existsSync(join(folder, 'admm')) && existsSync(join(folder, 'bisection'));
if (!hasAncestorCases)
  console.warn("skipped: the ancestor's cases (set DEC_FEEDERS to the folder of the public feeders)");

/** Case T48: load x 0.432, PV x 0.786621, source 1.0475 (dec-ancestor study 7.2). Case B: 0.37, 0.88, 1.0475 (7.3). */
export const CASES = {
  T48: { files: 'admm', loadMultiplier: 0.432, pvMultiplier: 0.786621 },
  B: { files: 'bisection', loadMultiplier: 0.37, pvMultiplier: 0.88 },
} as const;

/** The two parsed files of a case. */
export function ancestorFiles(name: keyof typeof CASES): readonly [unknown, unknown] {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder!, CASES[name].files, file), 'utf8'));
  return [read('bus_info_ieee123_pri.json'), read('branch_sw_xfmr_ieee123_pri.json')];
}

/** Its options: multipliers, source voltage, open ties. */
export function ancestorOptions(name: keyof typeof CASES): AncestorOptions {
  const { loadMultiplier, pvMultiplier } = CASES[name];
  return { open: ['sw7', 'sw8'], loadMultiplier, pvMultiplier, sourceVoltagePu: 1.0475 };
}

/** One of the ancestor's cases as a feeder with its two ties open. */
export function ancestorCase(name: keyof typeof CASES): FeederData {
  const [busInfo, branchInfo] = ancestorFiles(name);
  return ancestorFeeder(busInfo, branchInfo, ancestorOptions(name));
}

/** Its curtailment problem: upper limit only, as in the tables. */
export function ancestorProblem(
  feeder: FeederData,
  fairness: FairnessMode,
  upstreamIndexTypo = false,
): CurtailmentProblem {
  const model = linearFeeder(feeder, undefined, { upstreamIndexTypo });
  return curtailmentProblem(
    feeder,
    model,
    { loads: {}, availableW: {}, held: {} },
    { minPu: 0, maxPu: 1.05 },
    fairness,
  );
}
