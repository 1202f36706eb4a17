import { readFileSync } from 'node:fs';
import { readCimText, readFeeders } from '../../../grid/cim/index.js';
import { buildFeeder, type Feeder, feederData } from '../../../grid/model/index.js';
import { syntheticFeeder } from '../../../inputs/generator/synthetic-feeder.js';
import type { FeederJob, ShapesJob } from '../job.js';
import { loadShapes } from '../shapes.js';

/** The feeder of a job. */
export function feederOf(job: FeederJob): Feeder {
  if ('nodes' in job) return syntheticFeeder({ nodes: job.nodes });
  return readFeeders(readCimText([{ name: job.file, text: readFileSync(job.file, 'utf8') }])).feeders[0]!;
}

/** The same feeder with its loads on the shapes in turn. */
export function withShapes(feeder: Feeder, job: ShapesJob): Feeder {
  const profiles = loadShapes(job);
  return buildFeeder({
    ...feederData(feeder),
    profiles,
    loads: feeder.loads.map((load, k) => ({ ...load, profiles: { yearly: profiles[k % profiles.length]!.name } })),
  });
}

/** Node voltages by `bus.node`, as OpenDSS names them in the scripts we export. */
export interface NodeVoltages {
  readonly nodes: readonly string[];
  readonly volts: readonly number[];
}
