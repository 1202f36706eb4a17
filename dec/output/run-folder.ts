import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../platform/index.js';
import type { RunResult } from '../coordinator/index.js';
import type { RunManifest } from '../schema/index.js';
import { alphaColumns, positionCsv, roundCsv, setpointCsv, voltageColumns } from './columns.js';
import { MESSAGES, POSITIONS } from './committed-run.js';
import { coordinationDifference } from './coordination-difference.js';
import { type CoordinationOutcome, coordinationRun, NO_TIME } from './coordination-run.js';
import { MANIFEST, removeEarlierRun } from './earlier-run.js';
import { type ManifestExtras, runManifest } from './manifest.js';
import { type Plot, runPlots } from './plots.js';
import { renderSvg } from './render.js';

/**
 * Writes everything a run leaves behind: manifest.json, one `agent_<bus><phase>.json` per agent with the set-points of the
 * last interval, difference_messages.jsonl, voltages.parquet, alphas.parquet, setpoints.csv, rounds.csv, positions.csv where any are measured, and the pictures (SVG beside
 * their Vega-Lite declaration). The files of an earlier run in the folder are removed first, and no others.
 *
 * @throws DecError `BAD_ARGUMENT` when the folder holds something else
 */
export async function writeRun(result: RunResult, folder: string, extras: ManifestExtras): Promise<RunManifest> {
  removeEarlierRun(folder);
  makeFolder(folder, 'folder of the results');
  const files: string[] = [];
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    files.push(name);
  };

  const last = result.intervals.at(-1);
  for (const [agentId, content] of Object.entries(last?.agentFiles ?? {})) {
    write(`agent_${fileName(agentId)}.json`, `${JSON.stringify(content, null, 2)}\n`);
  }
  const messages = result.intervals.flatMap(({ difference }) => (difference ? [JSON.stringify(difference)] : []));
  write(MESSAGES, messages.map((message) => `${message}\n`).join(''));
  if (result.intervals.length > 0) {
    write('voltages.parquet', voltageColumns(result));
    write('alphas.parquet', alphaColumns(result));
    write('setpoints.csv', setpointCsv(result));
    write('rounds.csv', roundCsv(result));
    const positions = positionCsv(result);
    if (positions !== undefined) write(POSITIONS, positions);
  }
  await writePlots(runPlots(result, extras.outputs), write);
  const manifest = runManifest(result, extras, folder, files);
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/**
 * Writes what one coordination without a simulation leaves behind, as the run of one interval that it comes to
 * ({@link coordinationRun}): manifest.json, voltages.parquet, setpoints.csv, difference_messages.jsonl with the one message that
 * a run would send, and the picture of its voltages.
 *
 * @param comparison - names of all runs of the comparison that it is of
 * @throws as {@link writeRun}
 */
export async function writeCoordination(
  outcome: CoordinationOutcome,
  folder: string,
  extras: ManifestExtras,
  comparison?: readonly string[],
): Promise<RunManifest> {
  const result = coordinationRun(outcome);
  removeEarlierRun(folder);
  makeFolder(folder, 'folder of the results');
  const files: string[] = [];
  const write = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    files.push(name);
  };
  write('voltages.parquet', voltageColumns(result));
  write('setpoints.csv', setpointCsv(result));
  const message = coordinationDifference(outcome.question, outcome.result, NO_TIME);
  write(MESSAGES, message === undefined ? '' : `${JSON.stringify(message)}\n`);
  // The others show a course over time or rounds.
  const isBlind = result.intervals.every(({ nodeVoltages }) => nodeVoltages.length === 0);
  await writePlots(isBlind ? [] : runPlots(result).filter(({ name }) => name === 'voltages'), write);
  const manifest: RunManifest = {
    ...runManifest(result, extras, folder, files),
    kind: 'coordination',
    ...(comparison === undefined ? {} : { comparison: [...comparison] }),
    agents: outcome.result.agents,
  };
  const [interval] = manifest.intervals;
  if (interval) Object.assign(interval, { method: outcome.result.method, agents: outcome.result.agents });
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

async function writePlots(plots: readonly Plot[], write: (name: string, content: string) => void): Promise<void> {
  for (const { name, spec } of plots) {
    write(`${name}.vl.json`, `${JSON.stringify(spec)}\n`);
    write(`${name}.svg`, await renderSvg(spec));
  }
}

/** An agent's id as part of a file name. */
function fileName(agentId: string): string {
  return agentId.replace(/[^\w.-]/g, '_');
}
