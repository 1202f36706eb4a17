/** Memory of a power flow made ready and solved, beside its model, at one size. */

import { setTimeout } from 'node:timers/promises';
import { createPowerFlow } from '../../../grid/flow/index.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import type { MemoryJob } from '../job.js';
import { collect } from './collector.js';

const OPTIONS = { controls: false, tolerancePu: 1e-6 };
/** Code and whatever a process makes once are there before anything is counted: that of a feeder of this size. */
const WARM_UP_NODES = 1000;
/** Collections until two in a row leave the same within a thousandth; arrays outside of the heap are given back some time after one. */
const MOST_COLLECTIONS = 40;
const SAME = 1e-3;

/** Bytes in use, heap and arrays, when collections find nothing more. */
async function usedBytes(): Promise<number> {
  let last = Number.POSITIVE_INFINITY;
  for (let k = 0; k < MOST_COLLECTIONS; k++) {
    collect();
    await setTimeout(5);
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const used = heapUsed + arrayBuffers;
    if (Math.abs(used - last) <= SAME * used) return used;
    last = used;
  }
  throw new Error(`The memory in use did not come to rest in ${MOST_COLLECTIONS} collections.`);
}

/** A power flow and its solution on a feeder. */
function solvedOn(feeder: ReturnType<typeof syntheticFeeder>): readonly object[] {
  const flow = createPowerFlow(feeder, OPTIONS);
  return [flow, flow.solve()];
}

/** Does the job. */
export async function memory({ nodes }: MemoryJob): Promise<object> {
  const small = syntheticFeeder({ nodes: WARM_UP_NODES });
  const feeder = syntheticFeeder({ nodes });
  const held: (readonly object[])[] = [];
  for (let k = 0; k < 3; k++) held[0] = solvedOn(small);
  const before = await usedBytes();
  held.push(solvedOn(feeder));
  const bytes = (await usedBytes()) - before;
  if (held.length !== 2 || feeder.buses.length === 0) throw new Error('What is measured is gone.');
  return { seconds: [], bytes };
}
