/** Many load scenarios on the radial three-phase grid. */
import { readFileSync } from 'node:fs';
import { createPowerFlow } from '../../../grid/flow/index.js';
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
  const loads = feeder.loads.map((load) => ({
    id: load.id,
    powerW: load.shares.reduce((sum, share) => sum + share.powerW, 0),
    powerVar: load.shares.reduce((sum, share) => sum + share.powerVar, 0),
  }));
  const nodes = flow.nodes.length;
  // The peer hands back the complex voltage of each node in each scenario; so do we.
  const output = new Float64Array(job.scenarios * 2 * nodes);
  let unsolved = 0;
  let iterations = 0;
  const all = () => {
    for (let s = 0; s < job.scenarios; s++) {
      for (let k = 0; k < count; k++) {
        const { id, powerW, powerVar } = loads[k]!;
        const factor = multipliers[s * count + k]!;
        flow.setLoadPower(id, powerW * factor, powerVar * factor);
      }
      const solution = flow.solve();
      if (solution.status !== 'converged') unsolved++;
      iterations += solution.iterations;
      output.set(solution.voltage, s * 2 * nodes);
    }
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
  const last = output.subarray((job.scenarios - 1) * 2 * nodes);
  return {
    seconds,
    cpu,
    unsolved,
    iterations: iterations / ((job.warmUp + job.samples) * job.scenarios),
    checksum: output.reduce((sum, v) => sum + v, 0),
    magnitudes: Array.from({ length: nodes }, (_, i) => Math.hypot(last[2 * i]!, last[2 * i + 1]!)),
    baseV: flow.nodes.map(({ baseV }) => baseV),
  };
}
