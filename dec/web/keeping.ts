import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DecError } from '../../grid/math/index.js';
import type { ModelStore } from '../../platform/index.js';
import type { GivenFile, KeptFeeder } from '../../web/index.js';
import { inspect, isScript, masterOf } from './inspection.js';

/** Whether a name is that of a file and leads into no folder. */
const isPlain = (name: string) => !/[/\\]|^\.{0,2}$/.test(name) && !name.includes('\0');

/**
 * Takes files that somebody gave into the model store, as `dec ingest` does, so that runs can be started on their feeder.
 *
 * @param keptAt - time for the store's manifest, ISO 8601
 * @throws DecError `FEEDER_DATA` where the feeder has errors or cannot be computed, `BAD_ARGUMENT` for names that are none of a
 * file and scripts that look for files in folders; else of the readers and the store
 */
export function keepFiles(files: readonly GivenFile[], store: ModelStore, keptAt: string): KeptFeeder {
  const names = files.map(({ name }) => name);
  const bad = names.find((name) => !isPlain(name));
  if (bad !== undefined || new Set(names.map((name) => name.toLowerCase())).size < names.length) {
    throw new DecError('BAD_ARGUMENT', 'Files that are kept need names of their own, without folders.', {
      files: names,
    });
  }
  const known = new Set(names.map((name) => name.toLowerCase()));
  const asked = new Set<string>();
  const found = inspect(files, (path) => asked.add(path));
  const errors = found.findings.filter(({ severity }) => severity === 'error').length;
  if (errors > 0 || found.flow === null) {
    const why = errors > 0 ? `has ${errors} ${errors === 1 ? 'error' : 'errors'}` : 'cannot be computed';
    throw new DecError('FEEDER_DATA', `${found.feeder.name} ${why}: mend the model before it is kept.`, {});
  }
  const scripts = files.filter(isScript);
  // A script is shown with its files found by name alone; in the store a path would find none of them, or one of this machine.
  const far = [...asked].find((path) => !known.has(path.toLowerCase()));
  if (far !== undefined) {
    const message = `A script asks for ${far}, which is not among the files under that name: give it with them, or keep the model with "dec ingest".`;
    throw new DecError('BAD_ARGUMENT', message, { file: far });
  }
  const folder = mkdtempSync(join(tmpdir(), 'dec-given-'));
  try {
    for (const { name, text } of files) writeFileSync(join(folder, name), text);
    const given = scripts.length > 0 ? [masterOf(scripts).name] : names;
    const kept = store.ingest(
      given.map((name) => join(folder, name)),
      keptAt,
      false,
      // The folder they were written to for the reading is gone a moment later.
      (path) => `${basename(path)} (given on the dashboard)`,
    );
    const own = kept.find(({ mrid }) => mrid === found.feeder.mrid) ?? kept[0];
    if (own === undefined) throw new DecError('FEEDER_DATA', `${names.join(', ')}: there is no feeder in it.`);
    return { name: own.name, mrid: own.mrid, status: own.status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
