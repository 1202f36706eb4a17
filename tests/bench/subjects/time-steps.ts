/** Time steps with loads on shapes: chunks of them are timed, the last state is handed back. */
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { StepsJob } from '../job.js';
import { loadShapes } from '../shapes.js';
import { collect, timed } from './collector.js';
import { feederOf } from './test-feeder.js';

/** Does the job. */
export function timeSteps(job: StepsJob): object {
  const feeder = feederOf(job.feeder);
  const shapes = loadShapes(job.shapes);
  const flow = createPowerFlow(feeder, { controls: job.controls, tolerancePu: job.tolerancePu });
  const loads = feeder.loads.map((load, k) => ({
    id: load.id,
    shape: shapes[k % shapes.length]!.values,
    powerW: load.shares.reduce((sum, share) => sum + share.powerW, 0),
    powerVar: load.shares.reduce((sum, share) => sum + share.powerVar, 0),
  }));
  let step = 0;
  let checksum = 0;
  let iterations = 0;
  let unsolved = 0;
  const chunk = () => {
    let solution = flow.solve();
    for (let end = step + job.chunk; step < end; step++) {
      for (const load of loads) {
        const factor = load.shape[step]!;
        flow.setLoadPower(load.id, load.powerW * factor, load.powerVar * factor);
      }
      solution = flow.solve();
      checksum += solution.voltage[solution.voltage.length - 2]!;
      iterations += solution.iterations;
      if (solution.status !== 'converged') unsolved++;
    }
    return solution;
  };
  const seconds: number[] = [];
  const cpu: number[] = [];
  let last = flow.solve();
  for (let k = 0; k < job.warmUp + job.chunks; k++) {
    collect();
    const run = timed(chunk);
    last = run.value;
    if (k < job.warmUp) continue;
    seconds.push(run.seconds / job.chunk);
    cpu.push(run.cpu / job.chunk);
  }
  const byBus = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
  return {
    seconds,
    cpu,
    checksum,
    unsolved,
    iterations: iterations / step,
    nodes: flow.nodes.map(({ bus, node }) => `${byBus.get(bus)!.toLowerCase()}.${node}`),
    baseV: flow.nodes.map(({ baseV }) => baseV),
    volts: [...last.voltage],
    taps: [...flow.taps.values()],
  };
}
