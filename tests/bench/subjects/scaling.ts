/** Cost of the steps from a feeder to a solution, and the memory of a compiled one, at one size. */

import { createPowerFlow } from '../../../grid/flow/index.js';
import { ShareInjection } from '../../../grid/flow/injection.js';
import { AdmittanceNetwork } from '../../../grid/flow/network.js';
import { compile } from '../../../grid/model/index.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import type { ScalingJob } from '../job.js';
import { collect, timed } from './collector.js';

/** What a piece of work took, s: of the processor where others kept it from the clock, by the clock where helpers took part. */
function cost({ seconds, cpu }: { readonly seconds: number; readonly cpu: number }): number {
  return Math.min(seconds, cpu);
}

/** Does the job. */
export function scaling(job: ScalingJob): object {
  const feeder = syntheticFeeder({ nodes: job.nodes });
  const least = {
    compile: Number.POSITIVE_INFINITY,
    order: Number.POSITIVE_INFINITY,
    factor: Number.POSITIVE_INFINITY,
  };
  let solve = Number.POSITIVE_INFINITY;
  for (let k = 0; k < job.samples; k++) {
    collect();
    const compiled = timed(() => compile(feeder));
    const injection = new ShareInjection(compiled.value.shares);
    const network = timed(() => new AdmittanceNetwork(compiled.value, injection));
    const factor = timed(() => network.value.refresh());
    least.compile = Math.min(least.compile, cost(compiled));
    least.order = Math.min(least.order, cost(network));
    least.factor = Math.min(least.factor, cost(factor));
  }
  collect();
  const before = process.memoryUsage();
  const flow = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-6 });
  let iterations = flow.solve().iterations;
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  for (let k = 0; k < 3 * job.samples; k++) {
    const run = timed(() => flow.solve({ loadMultiplier: k % 2 === 0 ? 0.8 : 1 }));
    solve = Math.min(solve, cost(run));
    iterations = run.value.iterations;
  }
  return { seconds: [solve], nodes: flow.nodes.length, ...least, solve, iterations, bytes };
}
