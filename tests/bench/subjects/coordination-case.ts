import { join } from 'node:path';
import type { Feeder } from '../../../grid/model/index.js';
import type { LocalInputs, PrimaryState, VoltageLimits } from '../../../grid/optim/index.js';
import { rooftopFeeder } from '../../../inputs/generator/rooftop.js';
import type { CaseJob } from '../job.js';
import { root } from '../workshop.js';
import { feederOf } from './test-feeder.js';

/** A feeder in a state that needs curtailment. */
export interface CoordinationCase {
  readonly feeder: Feeder;
  readonly inputs: LocalInputs;
  readonly state: PrimaryState;
  readonly limits: VoltageLimits;
}

/** Share of the model's load that the ancestor runs the feeder with (dec-ancestor study 1.2), and its source, pu. */
const FLAGSHIP_LOAD = 0.25;
const FLAGSHIP_SOURCE_PU = 1.04;
/** PV of a rooftop feeder of 8,500 nodes that is worth a seventh of its energy at noon. */
const ROOFTOP_PV = 0.15;
const ROOFTOP_NODES = 8500;
const ROOFTOP_COUNT = 10_000;

/** The case of a job. */
export function caseOf(job: CaseJob): CoordinationCase {
  const neutral = { taps: {}, capacitorSections: {}, openSwitches: [] };
  if (job.name === 'rooftop') {
    const share = job.nodes / ROOFTOP_NODES;
    const feeder = rooftopFeeder({
      nodes: job.nodes,
      count: Math.round(ROOFTOP_COUNT * share),
      // Shorter feeders bear more: the curtailed share stays about the same.
      pvMultiplier: ROOFTOP_PV / share,
    });
    const inputs = { loads: {}, availableW: {}, held: {} };
    return { feeder, inputs, state: { sourceVoltagePu: 1, ...neutral }, limits: { minPu: 0.9, maxPu: 1.05 } };
  }
  const feeder = feederOf({ file: join(root, 'inputs', 'feeder', 'IEEE123Sec.xml') });
  const loads: Record<string, { powerW: number; powerVar: number }> = {};
  for (const { id, shares } of feeder.loads) {
    const sum = (of: 'powerW' | 'powerVar') => FLAGSHIP_LOAD * shares.reduce((all, share) => all + share[of], 0);
    loads[id] = { powerW: sum('powerW'), powerVar: sum('powerVar') };
  }
  return {
    feeder,
    inputs: { loads, availableW: {}, held: {} },
    state: { sourceVoltagePu: FLAGSHIP_SOURCE_PU, ...neutral },
    limits: { minPu: 0.95, maxPu: 1.05 },
  };
}
