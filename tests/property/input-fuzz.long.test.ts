/**
 * Mutated CIM, OpenDSS, JSON and YAML inputs through everything that reads them, and through validation and the power flow where
 * a model came out: no crash, no hang, bounded memory, typed errors. A short run by default; `DEC_FUZZ_INPUTS=10000` is the long
 * one, for each of the four. `DEC_FUZZ_SEED` repeats a run.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { BusError, formatUsers, parseUsers } from '../../bus/index.js';
import { parseConfiguration } from '../../dec/configuration.js';
import { createProgram } from '../../dec/program.js';
import { type Section, sectionOptions } from '../../dec/schema/configuration.js';
import { readCimText, readFeeders, writeCim } from '../../grid/cim/index.js';
import { DssFileSet, readDss } from '../../grid/dss/index.js';
import { writeDss } from '../../grid/dss/writer/index.js';
import { createPowerFlow } from '../../grid/flow/index.js';
import { DecError, randomStream } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, validateFeeder } from '../../grid/model/index.js';
import { ancestorFeeder } from '../../grid/optim/index.js';
import { allKinds } from '../builders/all-kinds.js';
import { cimCircuit } from '../builders/cim-circuit.js';
import { describedMessages } from '../unit/docs/message-page.js';

const INPUTS = Number(process.env['DEC_FUZZ_INPUTS'] ?? 300);
const SEED = Number(process.env['DEC_FUZZ_SEED'] ?? 2026);
/** An input takes some milliseconds; more than this is a hang. */
const SLOW_MS = 5000;
/** What the heap may have grown by after all inputs, MiB. */
const GROWTH_MIB = 50;

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

/** Bytes of the heap that are in use. */
function heapBytes(): number {
  if (typeof collectGarbage === 'function') collectGarbage();
  return process.memoryUsage().heapUsed;
}

type Random = () => number;

/** Where edits begin and end, and what is put in beside pieces of the input itself. */
interface Language {
  readonly tokens: readonly string[];
  readonly border: RegExp;
}

const NUMBERS = ['0', '-1', '1e308', '-1e-300', '1e999', 'NaN', '', '.', '99999999999999999999', '0x10', '1,5'];

/** One to four edits: a token put in, a number replaced, a piece left out, doubled or moved, a character changed. */
function mutated(text: string, { tokens, border }: Language, random: Random): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  let result = text;
  for (let edits = 1 + Math.floor(random() * 4); edits > 0; edits--) {
    const borders = [...result.matchAll(new RegExp(border, 'g'))].map(({ index }) => index);
    const [from, to] = [random(), random()]
      .map((share) => borders[Math.floor(share * borders.length)] ?? 0)
      .sort((a, b) => a - b) as [number, number];
    const end = Math.min(to, from + 400);
    const kind = random();
    if (kind < 0.2) result = result.slice(0, from) + pick(tokens) + result.slice(from);
    else if (kind < 0.4) {
      const numbers = [...result.matchAll(/-?\d+(\.\d+)?(e[-+]?\d+)?/gi)];
      if (numbers.length === 0) continue;
      const number = pick(numbers);
      result = result.slice(0, number.index) + pick(NUMBERS) + result.slice(number.index + number[0].length);
    } else if (kind < 0.6) result = result.slice(0, from) + result.slice(end);
    else if (kind < 0.7) result = result.slice(0, end) + result.slice(from);
    else if (kind < 0.85) {
      const piece = result.slice(from, end);
      const at = borders[Math.floor(random() * borders.length)] ?? 0;
      result = result.slice(0, at) + piece + result.slice(at);
    } else {
      const at = Math.floor(random() * result.length);
      result = result.slice(0, at) + String.fromCharCode(Math.floor(random() * 300)) + result.slice(at + 1);
    }
  }
  return result;
}

/** Reads mutations of the samples; what is thrown must be typed and say something. */
function fuzz(name: string, samples: readonly string[], language: Language, read: (text: string) => boolean): void {
  const stream = randomStream(`${name} ${SEED}`);
  const random: Random = () => stream.uniform();
  let [whole, refused] = [0, 0];
  const before = heapBytes();
  for (let k = 0; k < INPUTS; k++) {
    const text = mutated(samples[k % samples.length]!, language, random);
    const began = performance.now();
    try {
      if (read(text)) whole++;
      else refused++;
    } catch (error) {
      if (!(error instanceof DecError || error instanceof BusError) || error.message.length < 10) {
        throw new Error(`input ${k} of ${name} (seed ${SEED}) met ${String(error)}:\n${text.slice(0, 4000)}`, {
          cause: error,
        });
      }
      expect(error.code).toMatch(/^[A-Z_]+$/);
      refused++;
    }
    const took = performance.now() - began;
    if (took > SLOW_MS)
      throw new Error(`input ${k} of ${name} (seed ${SEED}) took ${took} ms:\n${text.slice(0, 4000)}`);
  }
  const growthMib = (heapBytes() - before) / 1024 ** 2;
  expect(growthMib).toBeLessThan(GROWTH_MIB);
  console.info(`${name}: ${INPUTS} inputs, ${whole} read, ${refused} refused, heap ${growthMib.toFixed(0)} MiB more`);
  // Mutations that are all refused, or all taken, would look at nothing.
  expect(whole).toBeGreaterThan(INPUTS / 50);
  expect(refused).toBeGreaterThan(INPUTS / 50);
}

/** Validates and solves a model that was read; false when it is refused. */
function solved(feeder: Feeder, unfedPhase?: 'warning'): boolean {
  if (validateFeeder(feeder, unfedPhase).some(({ severity }) => severity === 'error')) return false;
  const result = createPowerFlow(feeder, { maxIterations: 30 }).solve();
  if (result.status === 'converged') {
    for (const voltage of result.voltage) if (!Number.isFinite(voltage)) throw new Error('a voltage is not finite');
  }
  return true;
}

describe('inputs that are damaged', () => {
  it('as CIM XML are read or refused with typed findings', { timeout: 3_600_000 }, () => {
    const border = /[<>"#]|\s(?=\w+[:=])/;
    const tokens = [
      '<',
      '>',
      '&',
      '&amp;',
      '<!--',
      '-->',
      '<![CDATA[',
      '"',
      '\u0000',
      'rdf:ID="_X"',
      '<cim:Terminal/>',
      '</rdf:RDF>',
      '<?xml?>',
      '<!DOCTYPE a [<!ENTITY b "c">]>',
      '&b;',
    ];
    fuzz('CIM XML', [writeCim(cimCircuit(), { idStyle: 'id' })], { border, tokens }, (text) => {
      const { feeders, findings } = readFeeders(readCimText([{ name: 'a.xml', text }]));
      for (const { code, message } of findings) {
        expect(code).toMatch(/^[A-Z_]+$/);
        expect(message.length).toBeGreaterThan(10);
      }
      if (findings.some(({ severity }) => severity === 'error')) return false;
      return feeders.length > 0 && feeders.every((feeder) => solved(feeder));
    });
  });

  it('as OpenDSS scripts are read or refused with typed findings', { timeout: 3_600_000 }, () => {
    const border = /[\s=()[\]|,.]/;
    const tokens = [
      'new ',
      'edit ',
      '~ ',
      ' like=',
      '=',
      '(',
      ')',
      '[',
      '|',
      '"',
      "'",
      '{',
      '!',
      '//',
      '/*',
      '*/',
      '\n',
      ' phases=0',
      ' phases=7',
      ' bus1=',
      ' kv=0',
      ' kv=-1',
      'redirect a.dss\n',
      'clear\n',
      'solve\n',
      ' enabled=no',
      '.1.1.1',
      ' xhl=0',
      ' length=0',
      ' wdg=9',
      ' conns=(wye delta',
      ' %loadloss=-5',
      '@x',
      'set mode=daily\n',
    ];
    fuzz('OpenDSS script', [writeDss(allKinds()).text], { border, tokens }, (text) => {
      const { feeder, findings } = readDss('a.dss', new DssFileSet([['a.dss', text]]));
      for (const { code, message } of findings) {
        expect(code).toMatch(/^[A-Z_]+$/);
        expect(message.length).toBeGreaterThan(10);
      }
      if (findings.some(({ severity }) => severity === 'error')) return false;
      return feeder !== undefined && solved(feeder, 'warning');
    });
  });

  it('as JSON - messages, users, the files of the ancestor - are read or refused with typed errors', {
    timeout: 3_600_000,
  }, () => {
    const border = /[{}[\]",:]/;
    const tokens = [
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      'null',
      'true',
      '{}',
      '[]',
      '"__proto__":{}',
      '\\u0000',
      '-0',
      '[[[[[[[[',
      '"a":',
    ];
    const bus = {
      s: {
        idx: 0,
        kv: 2.4,
        phases: [1, 2, 3],
        pq: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        pv: [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      },
      n: {
        idx: 1,
        kv: 2.4,
        phases: [1, 2, 3],
        pq: [
          [900, 20],
          [1, 2],
          [0, 0],
        ],
        pv: [
          [50, 0],
          [0, 0],
          [0, 0],
        ],
      },
    };
    const z = [
      [
        [0.1, 0.3],
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0.1, 0.3],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [0.1, 0.3],
      ],
    ];
    const branch = {
      l: { idx: 0, type: 'LINE', from: 0, to: 1, fr_bus: 's', to_bus: 'n', phases: [1, 2, 3], zprim: z },
    };
    const readers: { sample: string; read: (text: string) => boolean }[] = [
      ...describedMessages().map(({ example, parse }) => ({
        sample: typeof example === 'string' ? example : JSON.stringify(example),
        read: (text: string) => parse(text) !== undefined,
      })),
      {
        sample: formatUsers({ viz: { password: 'scrypt$1$2$3', roles: ['user'], send: ['a.>'] } }),
        read: (text) => Object.keys(parseUsers(text, 'users.json')).length >= 0,
      },
      {
        sample: JSON.stringify([bus, branch]),
        read: (text) => {
          const [busInfo, branchInfo] = pairOf(text);
          const data = ancestorFeeder(busInfo, branchInfo, {
            loadMultiplier: 1,
            pvMultiplier: 1,
            sourceVoltagePu: 1,
            open: [],
          });
          return solved(buildFeeder(data), 'warning');
        },
      },
    ];
    const samples = readers.map(({ sample }) => sample);
    let k = 0;
    fuzz('JSON', samples, { border, tokens }, (text) => readers[k++ % readers.length]!.read(text));
  });

  it('as YAML settings are read or refused with typed errors', { timeout: 3_600_000 }, async () => {
    const program = await createProgram();
    const sections: readonly Section[] = ['run', 'coordinate', 'series'];
    const commands = new Map(
      sections.map((name) => [name, sectionOptions(program.commands.find((one) => one.name() === name)!)] as const),
    );
    const sample =
      'feeder: a.xml\nload-multiplier: 0.25\nfairness: alphaFair\ngamma: 2\nopen: [sw7, "54-94"]\nrun:\n  start: 10:00\n  interval: 30m\n  intervals: 14\ncoordinate:\n  ac-correction: true\n  step: 15m\nseries:\n  mode: daily\n';
    const tokens = [
      ': ',
      '- ',
      '&a ',
      '*a',
      '<<: *a\n',
      '\n',
      '\n  ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '|',
      '>',
      '#',
      '!!int ',
      '---\n',
      '...\n',
      '\t',
      '%YAML 1.1\n',
      'null',
      '~',
    ];
    fuzz(
      'YAML',
      [sample],
      { border: /[\s:,[\]]/, tokens },
      (text) => Object.keys(parseConfiguration(text, 'a.yaml', commands)).length >= 0,
    );
  });
});

/** Two values of one JSON text, as two files would have them. */
function pairOf(text: string): [unknown, unknown] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? [parsed[0], parsed[1]] : [parsed, parsed];
  } catch (cause) {
    // The command tells of it before; here it only must not count as a fault of the reader.
    throw new DecError('BAD_ARGUMENT', 'The text is no JSON at all.', {}, { cause });
  }
}
