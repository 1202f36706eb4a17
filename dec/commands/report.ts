import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import { makeFolder } from '../../platform/index.js';
import { type FeederMap, reportHtml } from '../../web/index.js';
import { storeAt } from '../model-source.js';
import { MANIFEST } from '../output/earlier-run.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';
import { feederMap } from '../web/feeder-map.js';
import { RunLibrary } from '../web/run-library.js';

interface ReportOptions extends OutputOptions {
  readonly out?: string;
  readonly feeder: readonly string[];
  readonly store?: string;
}

/** Pictures of a run in the order of a report, with what they show. */
const PICTURES = {
  overview: 'The run at a glance: the voltage nearest to its limit, and PV power available and curtailed',
  voltages: 'Node voltages by phase before and after coordination',
  alpha_over_rounds: 'Curtailed fraction of each agent over the rounds',
  transformer_voltages: 'Voltage at each service transformer over the rounds',
  total_injection: 'Total injection of all agents over the rounds',
} as const;

/** Adds `dec report`. */
export function addReport(program: Command): void {
  program
    .command('report')
    .description('one HTML file about a finished run: summary, maps, pictures, tables, settings; prints to PDF')
    .argument('<run>', 'folder of the run, or its name in outputs/')
    .option('--out <file>', 'file to write; folders are made (default: report_<run>.html)')
    .option(
      '--feeder <file...>',
      'CIM XML or OpenDSS master files, where the feeder of the run is not in the store',
      [],
    )
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec report outputs/sample --out sample.html')
    .action(async (run: string, options: ReportOptions) => {
      process.exitCode = await runReport(run, options);
    });
}

async function runReport(name: string, options: ReportOptions): Promise<number> {
  const terminal = new Terminal(options);
  const isFolder = statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
  // A name is one of a run in outputs/; what has a folder in it is meant as it is written.
  const isPath = isFolder || /[/\\]/.test(name);
  const folder = resolve(isPath ? name : join('outputs', name));
  const id = basename(folder);
  // The root of the file system has no name.
  if (id === '') throw new DecError('BAD_ARGUMENT', `${folder} is no folder of a run; name one.`, { run: name });
  if (isSeries(folder)) {
    throw new DecError(
      'BAD_ARGUMENT',
      `The folder ${folder} holds a time series of dec series, not a run: it has no report. Its tables are Parquet files (docs/series.md); dec series prints their summary.`,
      { folder },
    );
  }
  const library = new RunLibrary(dirname(folder));
  const manifest = library.manifest(id);
  const run = await library.document(id);
  const drawn = mapOf(manifest.feeder.mrid, options);
  if (drawn.mapProblem !== undefined) terminal.note(`No map: ${drawn.mapProblem}`);
  const pictures = Object.entries(PICTURES).flatMap(([picture, title]) =>
    manifest.files.includes(`${picture}.svg`)
      ? [{ title, svg: readFileSync(library.file(id, `${picture}.svg`), 'utf8') }]
      : [],
  );
  const out = options.out ?? `report_${id}.html`;
  makeFolder(dirname(resolve(out)), 'folder of the report');
  const html = reportHtml({ run, ...drawn, pictures, inputs: manifest.inputs });
  try {
    writeFileSync(out, html);
  } catch (cause) {
    throw new DecError('BAD_ARGUMENT', `The file ${out} cannot be written.`, { file: out }, { cause });
  }
  if (terminal.isJson)
    terminal.result({ run: id, file: out, bytes: Buffer.byteLength(html), hasMap: drawn.map !== undefined });
  else terminal.print(`Wrote ${out}.`);
  return EXIT.done;
}

const kindSchema = z.object({ kind: z.literal('series') });

/** Whether a folder holds the results of `dec series`. */
function isSeries(folder: string): boolean {
  try {
    return kindSchema.safeParse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'))).success;
  } catch {
    // No manifest that can be read: the library says what is missing.
    return false;
  }
}

/** The map, or why there is none. @throws DecError when the files that were named do not hold the feeder */
function mapOf(
  mrid: string,
  { store, feeder }: ReportOptions,
): { readonly map?: FeederMap; readonly mapProblem?: string } {
  try {
    return { map: feederMap(storeAt(store, feeder).find(mrid).feeder) };
  } catch (error) {
    // Files that were named are meant to be the feeder; without any, a report without a map is still one.
    if (error instanceof DecError && feeder.length === 0) return { mapProblem: error.message };
    throw error;
  }
}
