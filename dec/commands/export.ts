import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type CimIndex, type CimRecord, writeCim } from '../../grid/cim/index.js';
import { writeDss } from '../../grid/dss/writer/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Finding } from '../../grid/model/index.js';
import { type LoadedModel, makeFolder, usingFolder } from '../../platform/index.js';
import { modelOf, siblingFindings, storeAt, validated } from '../model-source.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';

/** What can be exported. */
const FORMS = ['dss', 'cim'] as const;
type Form = (typeof FORMS)[number];

interface ExportOptions extends OutputOptions {
  readonly out?: string;
  readonly store?: string;
}

function formOf(text: string): Form {
  const form = FORMS.find((one) => one === text);
  if (form === undefined) throw new InvalidArgumentError(`It must be one of ${FORMS.join(', ')}.`);
  return form;
}

/** Adds `dec export`. */
export function addExport(program: Command): void {
  program
    .command('export')
    .description('write a feeder in another form: an OpenDSS script (dss) or CIM XML (cim)')
    .argument('<feeder>', 'name, mRID or file')
    .argument('<what>', 'dss or cim', formOf)
    .option('--out <file>', 'file to write (default: standard output)')
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object: the file, its size and the findings (with --out), else also the text')
    .option('--quiet', 'no notices')
    .addHelpText('after', '\nExample:\n  dec export ieee123sec_dec dss --out ieee123sec.dss')
    .action((feeder: string, form: Form, options: ExportOptions) => {
      process.exitCode = runExport(feeder, form, options);
    });
}

function runExport(name: string, form: Form, options: ExportOptions): number {
  const terminal = new Terminal(options);
  const model = modelOf([name], storeAt(options.store));
  const written = form === 'dss' ? openDss(model) : cim(model);
  const findings = [...siblingFindings([name], model), ...written.findings];
  terminal.findings(findings);
  const { text } = written;
  const { out } = options;
  if (out !== undefined) {
    makeFolder(dirname(out), 'folder of the export');
    usingFolder(out, 'export', () => writeFileSync(out, text));
  }
  if (terminal.isJson) {
    const size = Buffer.byteLength(text);
    const { feeder } = model;
    terminal.result({
      feeder: { name: feeder.name, mrid: feeder.mrid },
      form,
      bytes: size,
      ...(out === undefined ? { text } : { file: out }),
      findings,
    });
  } else if (out === undefined) process.stdout.write(text);
  else terminal.print(`Wrote ${out}.`);
  return EXIT.done;
}

interface Written {
  readonly text: string;
  readonly findings: readonly Finding[];
}

function openDss({ feeder }: LoadedModel): Written {
  const own = validated(feeder);
  const { text, findings } = writeDss(feeder);
  return { text, findings: [...own.filter(({ severity }) => severity !== 'info'), ...findings] };
}

/** The objects the model was read from, under one name space and with one spelling of ids. */
function cim({ index, feeder }: LoadedModel): Written {
  if (index.objects.size === 0) {
    throw new DecError(
      'UNSUPPORTED',
      `The feeder ${feeder.name} was not read from CIM, so that there are no CIM objects to write; export it as dss.`,
      { feeder: feeder.name },
    );
  }
  return { text: writeCim(records(index), { comment: [feeder.name] }), findings: [] };
}

function* records(index: CimIndex): Generator<CimRecord> {
  for (const object of index.objects.values()) {
    yield {
      className: object.className,
      id: object.id,
      properties: [...object.properties()].map(({ attribute, kind, value }) => ({ name: attribute, kind, value })),
    };
  }
}
