/** Cost of the steps from a feeder to a solution, and the memory of a compiled one, at one size. */

import { createPowerFlow } from '../../../grid/flow/index.js';
import { ShareInjection } from '../../../grid/flow/injection.js';
import { AdmittanceNetwork } from '../../../grid/flow/network.js';
import { compile, type Feeder } from '../../../grid/model/index.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import type { ScalingJob } from '../job.js';
import { collect, timed } from './collector.js';

/** What a piece of work took, s: of the processor where others kept it from the clock, by the clock where helpers took part. */
function cost({ seconds, cpu }: { readonly seconds: number; readonly cpu: number }): number {
  return Math.min(seconds, cpu);
}

/** Work of a factorisation, whatever the machine: entries of the matrix and of L, products of two entries of L. */
function countsOf({ rowIdx, factor }: AdmittanceNetwork) {
  let factorProducts = 0;
  for (let k = 0; k < factor.n; k++) {
    const below = factor.Lp[k + 1]! - factor.Lp[k]!;
    factorProducts += (below * (below + 3)) / 2;
  }
  return { matrixEntries: rowIdx.length, factorEntries: factor.factorEntries, factorProducts };
}

/** Rounds and size of the work before anything is timed: the same for all sizes, else the large ones are timed with slow code. */
const WARM_UP = { rounds: 12, nodes: 3000 };

/** The feeder of the warm-up stays: when no object of a layout is left, the engine forgets the code made for it. */
let warmFeeder: Feeder | undefined;

function warmUp(): void {
  const feeder = syntheticFeeder({ nodes: WARM_UP.nodes });
  warmFeeder = feeder;
  for (let round = 0; round < WARM_UP.rounds; round++) {
    const compiled = compile(feeder);
    const network = new AdmittanceNetwork(compiled, new ShareInjection(compiled.shares));
    for (let again = 0; again < 6; again++) {
      network.energise();
      network.refresh();
    }
    collect();
  }
}

/** Does the job. */
export function scaling(job: ScalingJob): object {
  warmUp();
  const feeder = syntheticFeeder({ nodes: job.nodes });
  const least = {
    compile: Number.POSITIVE_INFINITY,
    order: Number.POSITIVE_INFINITY,
    factor: Number.POSITIVE_INFINITY,
    refactor: Number.POSITIVE_INFINITY,
  };
  const counts = { matrixEntries: 0, factorEntries: 0, factorProducts: 0 };
  let solve = Number.POSITIVE_INFINITY;
  // Small sizes take little time, and are disturbed more: they are done again more often.
  const samples = Math.max(job.samples, Math.min(40, Math.ceil(20_000 / job.nodes)));
  for (let k = 0; k < samples; k++) {
    collect();
    const compiled = timed(() => compile(feeder));
    const injection = new ShareInjection(compiled.value.shares);
    const network = timed(() => new AdmittanceNetwork(compiled.value, injection));
    const factor = timed(() => network.value.refresh());
    least.compile = Math.min(least.compile, cost(compiled));
    least.order = Math.min(least.order, cost(network));
    least.factor = Math.min(least.factor, cost(factor));
    // Again in the memory that the first time has asked the system for.
    for (let again = 0; again < 3; again++) {
      network.value.energise();
      least.refactor = Math.min(least.refactor, cost(timed(() => network.value.refresh())));
    }
    if (k === 0) Object.assign(counts, countsOf(network.value));
  }
  collect();
  const before = process.memoryUsage();
  const flow = createPowerFlow(feeder, { controls: false, tolerancePu: 1e-6 });
  let iterations = flow.solve().iterations;
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  for (let k = 0; k < 3 * samples; k++) {
    const run = timed(() => flow.solve({ loadMultiplier: k % 2 === 0 ? 0.8 : 1 }));
    solve = Math.min(solve, cost(run));
    iterations = run.value.iterations;
  }
  if (!warmFeeder) throw new Error('The warm-up is missing.');
  return { seconds: [solve], nodes: flow.nodes.length, ...least, ...counts, solve, iterations, bytes };
}
