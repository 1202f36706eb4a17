import type { Command } from 'commander';
import { storeAt } from '../model-source.js';
import { EXIT, type OutputOptions, Terminal, table } from '../terminal.js';

interface StoreOptions extends OutputOptions {
  readonly store?: string;
}

/** Adds `dec feeders`. */
export function addFeeders(program: Command): void {
  program
    .command('feeders')
    .description('list the known feeders: name, mRID, counts, where from')
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec feeders')
    .action((options: StoreOptions) => {
      const terminal = new Terminal(options);
      const store = storeAt(options.store);
      const feeders = store.list();
      for (const problem of store.problems) terminal.note(problem);
      if (terminal.isJson) terminal.result({ store: store.dir ?? '', feeders, problems: store.problems });
      else {
        const rows = feeders.map(({ name, mrid, counts, errors, origin }) => [
          name,
          mrid,
          ...['buses', 'lines', 'transformers', 'loads', 'pvSystems', 'batteries'].map((kind) =>
            String(counts[kind] ?? 0),
          ),
          String(errors),
          origin,
        ]);
        terminal.print(
          table(
            ['name', 'mRID', 'buses', 'lines', 'transformers', 'loads', 'PV', 'batteries', 'errors', 'where from'],
            rows,
          ),
        );
      }
      process.exitCode = EXIT.done;
    });
}

/** Adds `dec ingest`. */
export function addIngest(program: Command): void {
  program
    .command('ingest')
    .description(
      'take CIM XML files (several profiles of one model together) or an OpenDSS master file into the model store',
    )
    .argument('<file...>', 'CIM XML files, or one OpenDSS master file with all it redirects to')
    .option('--store <dir>', 'folder of the model store')
    .option('--replace', 'take in a model with errors even in the place of one without')
    .option('--json', 'print one JSON object')
    .option('--quiet', 'no notices')
    .addHelpText(
      'after',
      '\nExample:\n  dec ingest feeder_FUN.xml feeder_EP.xml feeder_TOPO.xml\n  dec ingest IEEE13Nodeckt.dss',
    )
    .action((files: string[], options: StoreOptions & { readonly replace?: boolean }) => {
      const terminal = new Terminal(options);
      const store = storeAt(options.store);
      const feeders = store.ingest(files, new Date().toISOString(), options.replace);
      // What concerns the files as a whole stands with each of their feeders; people read it once.
      terminal.findings([...new Set(feeders.flatMap(({ findings }) => findings))]);
      if (terminal.isJson) terminal.result({ store: store.dir ?? '', feeders });
      else {
        for (const { name, mrid, status, counts, findings } of feeders) {
          const text = Object.entries(counts).map(([kind, n]) => `${n} ${kind}`);
          const errors = findings.filter(({ severity }) => severity === 'error').length;
          const warnings = findings.filter(({ severity }) => severity === 'warning').length;
          terminal.print(`${status}: ${name} ${mrid} (${text.join(', ')}); ${errors} errors, ${warnings} warnings`);
        }
      }
      process.exitCode = EXIT.done;
    });
}
