import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Feeder } from '../../grid/model/index.js';
import type { CoordinationQuestion, CoordinationResult } from '../../grid/optim/index.js';
import { namedResultsFolder, type ResultsFolder } from '../output/results-folder.js';
import { packageVersion } from '../package-version.js';
import { switchesNamed } from '../switch-names.js';

/** What of a coordination's options its results tell. */
export interface StoredOptions {
  readonly loadMultiplier: number;
  readonly pvMultiplier: number;
  readonly open: readonly string[];
}

/** Where results are kept, and of which files they are. */
export interface StorePlace {
  readonly out: string;
  readonly files: readonly string[];
}

/** A coordination to be kept under a rule's name. */
export interface StoredCoordination {
  readonly question: CoordinationQuestion;
  readonly result: CoordinationResult;
  readonly seconds: number;
}

/**
 * Folders for results, taken before the work: what cannot be written is told at once.
 *
 * @param names - of the rules of a comparison; none for one coordination, which has the folder itself
 * @throws DecError `BAD_ARGUMENT` when one holds something else than a run, or a run is at work in it
 */
export function takeFolders({ out }: StorePlace, names: readonly string[] | undefined): readonly ResultsFolder[] {
  const path = out.replace(/[/\\]+$/, '');
  const taken: ResultsFolder[] = [];
  try {
    for (const one of names?.map((name) => `${path}-${name.replace(/[^\w.]/g, '')}`) ?? [path])
      taken.push(namedResultsFolder(one));
  } catch (error) {
    for (const folder of taken) folder.release();
    throw error;
  }
  return taken;
}

/** Writes coordinations into the folders taken for them, in their order, and names the folders. */
export async function storeCoordinations(
  feeder: Feeder,
  coordinations: readonly StoredCoordination[],
  folders: readonly ResultsFolder[],
  { loadMultiplier, pvMultiplier, open }: StoredOptions,
  { files }: StorePlace,
): Promise<readonly string[]> {
  // The plotting library takes half a second to load.
  const { writeCoordination } = await import('../output/run-folder.js');
  const inputs = files.map((path) => ({
    name: basename(path),
    sha256: createHash('sha256').update(readFileSync(path)).digest('hex'),
  }));
  const openSwitches = switchesNamed(feeder, open).map(({ name }) => name);
  const names = folders.map(({ path }) => basename(path));
  for (const [k, { question, result, seconds }] of coordinations.entries()) {
    const outcome = { question, result, loadMultiplier, pvMultiplier, openSwitches, seconds };
    const extras = {
      name: names[k]!,
      inputs,
      versions: { dec: packageVersion(), node: process.versions.node },
      seed: 0,
    };
    await writeCoordination(outcome, folders[k]!.path, extras, folders.length > 1 ? names : undefined);
  }
  return folders.map(({ path }) => path);
}
