/** CIM bytes in memory to a converged snapshot with controls at rest. */
import { readFileSync } from 'node:fs';
import { CimIndexReader, readFeeders } from '../../../grid/cim/index.js';
import { createPowerFlow } from '../../../grid/flow/index.js';
import type { ColdJob } from '../job.js';
import { collect, timed } from './collector.js';

/** Does the job. */
export function coldStart(job: ColdJob): object {
  const bytes = readFileSync(job.file);
  const once = () => {
    const read = timed(() => {
      const reader = new CimIndexReader(job.file);
      reader.push(bytes);
      reader.end();
      return reader.index;
    });
    const mapped = timed(() => readFeeders(read.value).feeders[0]!);
    const compiled = timed(() => createPowerFlow(mapped.value));
    const solved = timed(() => compiled.value.solve());
    return {
      parts: [read, mapped, compiled, solved].map(({ seconds }) => seconds),
      feeder: mapped.value,
      flow: compiled.value,
      solution: solved.value,
    };
  };
  const seconds: number[] = [];
  const cpu: number[] = [];
  const parts: number[][] = [];
  let last = once();
  for (let k = 0; k < job.warmUp + job.samples; k++) {
    collect();
    const run = timed(once);
    last = run.value;
    if (k < job.warmUp) continue;
    seconds.push(run.seconds);
    cpu.push(run.cpu);
    parts.push(last.parts);
  }
  const { feeder, flow, solution } = last;
  const byBus = new Map(feeder.buses.map((bus) => [bus.id, bus.name]));
  return {
    seconds,
    cpu,
    parts,
    bytes: bytes.length,
    unsolved: solution.status === 'converged' ? 0 : 1,
    nodes: flow.nodes.map(({ bus, node }) => `${byBus.get(bus)!.toLowerCase()}.${node}`),
    baseV: flow.nodes.map(({ baseV }) => baseV),
    volts: [...solution.voltage],
    taps: [...flow.taps.values()],
  };
}
