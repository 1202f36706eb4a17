/** Many load scenarios on the radial three-phase grid. */
import { readFileSync } from 'node:fs';
import { createBatch, createPowerFlow } from '../../../grid/flow/index.js';
import { radialFeeder, radialGrid } from '../../../inputs/generator/radial-grid.js';
import type { ScenariosJob } from '../job.js';
import { collect, timed } from './collector.js';

/** Does the job. */
export function scenarios(job: ScenariosJob): object {
  const grid = radialGrid();
  const feeder = radialFeeder(grid);
  const bytes = readFileSync(job.multipliers);
  const multipliers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  const count = grid.loads.length;
  const flow = createPowerFlow(feeder, { controls: false, tolerancePu: job.tolerancePu });
  const batch = createBatch(flow, { tolerancePu: job.tolerancePu });
  const nodes = batch.nodes.length;
  const powers = feeder.loads.map(({ shares }) => ({
    w: shares.reduce((sum, { powerW }) => sum + powerW, 0),
    vars: shares.reduce((sum, { powerVar }) => sum + powerVar, 0),
  }));
  // As for the peer, the powers of all scenarios lie ready in arrays; what is handed back are all magnitudes.
  const loadW = new Float64Array(job.scenarios * count);
  const loadVar = new Float64Array(job.scenarios * count);
  for (let t = 0; t < loadW.length; t++) {
    const { w, vars } = powers[t % count]!;
    loadW[t] = w * multipliers[t]!;
    loadVar[t] = vars * multipliers[t]!;
  }
  const voltagePu = new Float64Array(job.scenarios * nodes);
  const rounds = new Int32Array(job.scenarios);
  let unsolved = 0;
  const all = () => {
    unsolved += batch.run({ count: job.scenarios, loadW, loadVar }, { voltagePu, iterations: rounds });
  };
  const seconds: number[] = [];
  const cpu: number[] = [];
  for (let k = 0; k < job.warmUp + job.samples; k++) {
    collect();
    const run = timed(all);
    if (k < job.warmUp) continue;
    seconds.push(run.seconds / job.scenarios);
    cpu.push(run.cpu / job.scenarios);
  }
  const last = voltagePu.subarray((job.scenarios - 1) * nodes);
  return {
    seconds,
    cpu,
    unsolved,
    iterations: rounds.reduce((sum, n) => sum + n, 0) / job.scenarios,
    checksum: voltagePu.reduce((sum, v) => sum + v, 0),
    magnitudes: flow.nodes.map(({ baseV }, i) => last[i]! * baseV),
    baseV: flow.nodes.map(({ baseV }) => baseV),
  };
}
