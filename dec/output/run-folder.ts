import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecError } from '../../grid/math/index.js';
import { makeFolder } from '../../platform/index.js';
import type { RunResult } from '../coordinator/index.js';
import type { RunManifest } from '../schema/index.js';
import { alphaColumns, setpointCsv, voltageColumns } from './columns.js';
import { type ManifestExtras, runManifest } from './manifest.js';
import { runPlots } from './plots.js';
import { renderSvg } from './render.js';

/** The file that marks a folder as a run of ours. */
const MANIFEST = 'manifest.json';

/**
 * Writes everything a run leaves behind: manifest.json, one `agent_<bus><phase>.json` per agent with the set-points of the
 * last interval, difference_messages.jsonl, voltages.parquet, alphas.parquet, setpoints.csv and the pictures (SVG beside
 * their Vega-Lite declaration). A folder that holds an earlier run is emptied first; any other folder with files in it
 * is left alone.
 *
 * @throws DecError `BAD_ARGUMENT` when the folder holds something else
 */
export async function writeRun(result: RunResult, folder: string, extras: ManifestExtras): Promise<RunManifest> {
  if (existsSync(folder)) {
    const present = readdirSync(folder);
    if (present.length > 0 && !present.includes(MANIFEST)) {
      throw new DecError(
        'BAD_ARGUMENT',
        `The folder ${folder} holds files that are no run of dec; name another with --out.`,
        { folder },
      );
    }
    for (const name of present) rmSync(join(folder, name), { recursive: true });
  }
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
  write('difference_messages.jsonl', messages.map((message) => `${message}\n`).join(''));
  if (result.intervals.length > 0) {
    write('voltages.parquet', voltageColumns(result));
    write('alphas.parquet', alphaColumns(result));
    write('setpoints.csv', setpointCsv(result));
  }
  for (const { name, spec } of runPlots(result, extras.outputs)) {
    write(`${name}.vl.json`, `${JSON.stringify(spec)}\n`);
    write(`${name}.svg`, await renderSvg(spec));
  }
  const manifest = runManifest(result, extras, folder, files);
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** An agent's id as part of a file name. */
function fileName(agentId: string): string {
  return agentId.replace(/[^\w.-]/g, '_');
}
