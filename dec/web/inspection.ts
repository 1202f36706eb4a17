import { CimIndexReader, readFeeders } from '../../grid/cim/index.js';
import { type DssFiles, directoryOfPath, elementPlaces, joinedPath, readDss } from '../../grid/dss/index.js';
import { createPowerFlow } from '../../grid/flow/index.js';
import { DecError } from '../../grid/math/index.js';
import { type Feeder, type Finding, validateFeeder } from '../../grid/model/index.js';
import { countElements } from '../../platform/index.js';
import type { FeederMap, FindingLine, GivenFile, Inspection, SnapshotFlow } from '../../web/index.js';
import { placed } from '../model-source.js';
import { nodeVoltages } from '../output/node-voltages.js';
import { branchesOf } from './branch-flow.js';
import { feederMap } from './feeder-map.js';

/** Findings that are told one by one. */
const TOLD = 300;
const GRAVITY = { error: 0, warning: 1, info: 2 } as const;
/** Below this a node has no voltage, pu. */
const DEAD_PU = 1e-3;
/** Characters that are looked at for what is no text, and the share of strange ones above which it is none. */
const BINARY_LOOK = 4000;
const BINARY_SHARE = 0.05;
/** What stands for bytes that are no UTF-8. */
const REPLACED = 0xfffd;
/** A line that only an OpenDSS script has. */
const SCRIPT_LINE = /^\s*(clear(all)?\s*$|(new|edit|set|redirect|compile|solve)\s+\S)/im;

/**
 * Reads CIM XML files as one model, or OpenDSS scripts of which one has the circuit, from memory: nothing is written, and a
 * script that names another file finds it among those given and nowhere else.
 *
 * @param onAsked - told of every file that a script asks for, by its path
 * @throws DecError of the readers; `FEEDER_DATA` where there is no feeder in them
 */
export function inspect(files: readonly GivenFile[], onAsked?: (path: string) => void): Inspection {
  const { feeder, findings: read, others, places } = readGiven(files, onAsked);
  const own = validateFeeder(feeder).filter((one) => !read.includes(one));
  const found: readonly Finding[] = [...read, ...placed(own, places)];
  const map = feederMap(feeder);
  const hasErrors = found.some(({ severity }) => severity === 'error');
  const { flow, problem } = hasErrors
    ? { flow: null, problem: 'The feeder has errors: mend the model first.' }
    : snapshot(feeder, map);
  const lines = found.map(lineOf).sort((a, b) => GRAVITY[a.severity] - GRAVITY[b.severity]);
  return {
    files: files.map(({ name }) => name),
    feeder: { name: feeder.name, mrid: feeder.mrid },
    others,
    counts: { ...countElements(feeder) },
    findings: lines.slice(0, TOLD),
    furtherFindings: Math.max(0, lines.length - TOLD),
    map,
    flow,
    flowProblem: problem,
  };
}

/** Whether a file is an OpenDSS script, by what stands in it. */
export function isScript({ text }: GivenFile): boolean {
  return !/^\s*</.test(text.slice(0, 200)) && SCRIPT_LINE.test(text);
}

/** Of some scripts the one with the circuit; the first where none has. @param scripts - one at least */
export function masterOf(scripts: readonly GivenFile[]): GivenFile {
  return scripts.find(({ text }) => /^\s*new\s+(object=)?["']?circuit\./im.test(text)) ?? scripts[0]!;
}

/** @throws DecError `FEEDER_DATA` for what holds nothing, or bytes that are no text */
function refuseNoText(name: string, text: string): void {
  if (text.trim() === '') throw new DecError('FEEDER_DATA', `${name} is empty.`, { file: name });
  const codes = Array.from({ length: Math.min(text.length, BINARY_LOOK) }, (_, i) => text.charCodeAt(i));
  // In UTF-16 every second byte of plain text is nothing: the reader knows that and names it.
  const isWide = [4, 6, 8].every((i) => (codes[i] === 0) !== (codes[i + 1] === 0));
  const isStrange = (code: number) => code < 9 || (code > 13 && code < 32) || code === REPLACED;
  if (!isWide && codes.filter(isStrange).length > BINARY_SHARE * codes.length) {
    throw new DecError('FEEDER_DATA', `${name} is no text: a model is CIM XML (RDF) or an OpenDSS script.`, {
      file: name,
    });
  }
}

function readGiven(
  files: readonly GivenFile[],
  onAsked: ((path: string) => void) | undefined,
): {
  readonly feeder: Feeder;
  readonly findings: readonly Finding[];
  readonly others: readonly string[];
  readonly places?: ReturnType<typeof elementPlaces>;
} {
  for (const { name, text } of files) refuseNoText(name, text);
  const scripts = files.filter(isScript);
  if (scripts.length > 0) {
    const master = masterOf(scripts);
    const { feeder, script } = readDss(master.name, new GivenFiles(files, onAsked));
    if (!script.circuit) {
      const errors = script.findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
      throw new DecError('FEEDER_DATA', [`${master.name}: there is no circuit in it.`, ...errors].join(' '), {
        file: master.name,
      });
    }
    return { feeder, findings: feeder.findings, others: [], places: elementPlaces(script, feeder) };
  }
  let reader: CimIndexReader | undefined;
  for (const { name, text } of files) {
    const next: CimIndexReader = reader ? new CimIndexReader(name, reader.index) : new CimIndexReader(name);
    next.push(text);
    next.end();
    reader = next;
  }
  const feeders = reader ? readFeeders(reader.index).feeders : [];
  const [feeder, ...others] = feeders;
  if (!feeder || feeder.buses.length === 0) {
    throw new DecError('FEEDER_DATA', `${files.map(({ name }) => name).join(', ')}: there is no feeder in it.`);
  }
  return { feeder, findings: feeder.findings, others: others.map(({ name }) => name) };
}

/** Files in memory, by name alone: whatever folder a script says, it is among those given. */
class GivenFiles implements DssFiles {
  private readonly texts: ReadonlyMap<string, string>;

  constructor(
    files: readonly GivenFile[],
    private readonly onAsked: ((path: string) => void) | undefined,
  ) {
    this.texts = new Map(files.map(({ name, text }) => [name.toLowerCase(), text]));
  }

  resolve(directory: string, path: string): string {
    return joinedPath(directory, path);
  }

  directoryOf(path: string): string {
    return directoryOfPath(path);
  }

  read(path: string): string | undefined {
    this.onAsked?.(path);
    return this.texts.get((path.split(/[/\\]/).at(-1) ?? path).toLowerCase());
  }

  readBytes(path: string): Uint8Array | undefined {
    const text = this.read(path);
    return text === undefined ? undefined : Buffer.from(text);
  }
}

/** The power flow of a feeder as it is described, regulators and capacitors under their controls. */
function snapshot(feeder: Feeder, map: FeederMap): { flow: SnapshotFlow | null; problem: string | null } {
  try {
    const flow = createPowerFlow(feeder, { controls: true });
    const solution = flow.solve();
    const known = nodeVoltages(feeder, flow, solution).filter(({ voltagePu }) => voltagePu > DEAD_PU);
    const ordered = [...known].sort((a, b) => a.voltagePu - b.voltagePu);
    const nameOf = (one: (typeof known)[number] | undefined) => (one ? { bus: one.bus, phase: one.phase } : null);
    const [lowest, highest] = [ordered[0], ordered.at(-1)];
    return {
      flow: {
        status: solution.status,
        iterations: solution.iterations,
        nodes: known.map(({ bus, phase }) => ({ bus, phase })),
        voltagesPu: known.map(({ voltagePu }) => Number(voltagePu.toFixed(6))),
        branches: branchesOf(map, flow, solution),
        ...{ sourceW: Math.round(solution.sourceW), lossW: Math.round(solution.lossW) },
        ...{ vMaxPu: highest?.voltagePu ?? null, vMinPu: lowest?.voltagePu ?? null },
        ...{ vMaxNode: nameOf(highest), vMinNode: nameOf(lowest) },
      },
      problem: null,
    };
  } catch (error) {
    // What cannot be computed is told beside what could be read.
    if (error instanceof DecError) return { flow: null, problem: error.message };
    throw error;
  }
}

function lineOf({ severity, code, message, file, line, count }: Finding): FindingLine {
  return { severity, code, message, file: file ?? null, line: line ?? null, count: count ?? 1 };
}
