import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type CimIndex, type CimRecord, writeCim, writeDifferenceModel } from '../../grid/cim/index.js';
import { writeDss } from '../../grid/dss/writer/index.js';
import { writeGlm } from '../../grid/glm/index.js';
import { DecError } from '../../grid/math/index.js';
import type { Finding } from '../../grid/model/index.js';
import { type LoadedModel, makeFolder, usingFolder } from '../../platform/index.js';
import { modelOf, siblingFindings, storeAt, unfedPhaseOf, validated } from '../model-source.js';
import { nonNegativeCount } from '../option.js';
import { committedRun } from '../output/committed-run.js';
import { EXIT, type OutputOptions, Terminal } from '../terminal.js';

/** What can be exported. */
const FORMS = ['dss', 'glm', 'cim', 'difference-model'] as const;
type Form = (typeof FORMS)[number];

interface ExportOptions extends OutputOptions {
  readonly out?: string;
  readonly message?: number;
  readonly setPointsOnly?: boolean;
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
    .description(
      'write a feeder in another form: an OpenDSS script (dss), a GridLAB-D model (glm) or CIM XML (cim); or the set-points that a run has committed (difference-model, IEC 61970-552)',
    )
    .argument('<feeder>', 'name, mRID or file of a feeder; folder of a run for difference-model')
    .argument('<what>', 'dss, glm, cim or difference-model', formOf)
    .option('--message <n>', 'difference-model: of this message of the run alone, 0 is the first', nonNegativeCount)
    .option(
      '--set-points-only',
      'difference-model: without the positions that regulators, capacitor banks and switches came to',
    )
    .option('--out <file>', 'file to write (default: standard output)')
    .option('--store <dir>', 'folder of the model store')
    .option('--json', 'print one JSON object: the file, its size and the findings (with --out), else also the text')
    .option('--quiet', 'no notices')
    .addHelpText(
      'after',
      '\nExamples:\n  dec export ieee123sec_dec dss --out ieee123sec.dss\n  dec export outputs/latest difference-model --out setpoints.xml',
    )
    .action((feeder: string, form: Form, options: ExportOptions) => {
      process.exitCode = runExport(feeder, form, options);
    });
}

function runExport(name: string, form: Form, options: ExportOptions): number {
  const terminal = new Terminal(options);
  const { text, findings, feeder } =
    form === 'difference-model' ? setpoints(name, options) : model(name, form, options);
  terminal.findings(findings);
  const { out } = options;
  if (out !== undefined) {
    makeFolder(dirname(out), 'folder of the export');
    usingFolder(out, 'export', () => writeFileSync(out, text));
  }
  if (terminal.isJson) {
    const size = Buffer.byteLength(text);
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

/** What is written, and the feeder it is of. */
interface Exported extends Written {
  readonly feeder: { readonly name: string; readonly mrid: string };
}

function model(name: string, form: 'dss' | 'glm' | 'cim', options: ExportOptions): Exported {
  const stray = [
    options.message === undefined ? [] : '--message',
    options.setPointsOnly ? '--set-points-only' : [],
  ].flat();
  if (stray.length > 0) {
    const text = `${stray.join(' and ')} ${stray.length > 1 ? 'go' : 'goes'} with difference-model, not with ${form}.`;
    throw new DecError('BAD_ARGUMENT', text, { form });
  }
  const loaded = modelOf([name], storeAt(options.store));
  const { text, findings } = form === 'cim' ? cim(loaded) : script(loaded, form);
  return { text, findings: [...siblingFindings([name], loaded), ...findings], feeder: loaded.feeder };
}

function setpoints(folder: string, { message, setPointsOnly = false }: ExportOptions): Exported {
  const { difference, feeder, positions } = committedRun(folder, message, !setPointsOnly);
  const finding: Finding = {
    severity: 'info',
    code: 'POSITIONS_ADDED',
    message: `With the set-points it has the positions that ${positions} regulators, capacitor banks and switches came to; --set-points-only leaves them out.`,
    count: positions,
  };
  return { text: writeDifferenceModel(difference), findings: positions > 0 ? [finding] : [], feeder };
}

function script(model: LoadedModel, form: 'dss' | 'glm'): Written {
  const { feeder } = model;
  const own = validated(model, unfedPhaseOf(model), 'powerFlow');
  const { text, findings } = form === 'dss' ? writeDss(feeder) : writeGlm(feeder);
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
