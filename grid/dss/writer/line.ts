/**
 * Lines, switches and reactors. A line is written by the metre with its matrices; a line without a length, or with an
 * impedance matrix that is not symmetric, as a whole.
 */
import type { ComplexMatrix, Line, Reactor, Switch } from '../../model/index.js';
import { isSymmetric, newObject, num, triangle, yesNo } from './command.js';
import type { DssScriptText } from './script.js';

/** Lengths are written in km, so that matrices have handy numbers. */
const METRES_PER_UNIT = 1000;
const NANO = 1e-9;

/** Line-like properties of an impedance and shunt over a length. */
function matrices(series: ComplexMatrix, shunt: ComplexMatrix | undefined, units: number, frequencyHz: number) {
  const { n } = series;
  const capacitance = 1 / (2 * Math.PI * frequencyHz * NANO * units);
  return {
    rmatrix: triangle(n, series.re, 1 / units),
    xmatrix: triangle(n, series.im, 1 / units),
    cmatrix: triangle(n, shunt?.im ?? new Array<number>(n * n).fill(0), capacitance),
  };
}

/** A line with its ends as they are. */
export function writeLine(script: DssScriptText, line: Line): void {
  const name = script.element('Line', line);
  const { n } = line.seriesOhm;
  if (!isSymmetric(line.seriesOhm) || !isSymmetric(line.shuntSiemens)) {
    script.notCarried(
      line,
      'Line',
      'seriesOhm',
      `The impedance matrix of line ${line.name} is not symmetric; OpenDSS reads one triangle, the mean of both is written.`,
    );
  }
  const hasLength = line.lengthM > 0;
  const units = hasLength ? line.lengthM / METRES_PER_UNIT : 1;
  script.add(
    newObject('Line', name, {
      bus1: script.at(line.from),
      bus2: script.at(line.to),
      phases: n,
      ...matrices(line.seriesOhm, line.shuntSiemens, units, script.feeder.frequencyHz),
      length: hasLength ? units : 1,
      units: hasLength ? 'km' : 'none',
      normamps: line.ratingA,
      emergamps: line.ratingA,
    }),
  );
  if (line.isOpen) {
    opened(script, name, 1, line.isOpen.from);
    opened(script, name, 2, line.isOpen.to);
  }
  for (const { kind, name: device } of line.protection ?? []) {
    script.notCarried(
      line,
      'Line',
      'protection',
      `The ${kind} ${device} of line ${line.name} is not written, only whether it is open: its curve is not in the model.`,
      'info',
    );
  }
}

function opened(script: DssScriptText, name: string, terminal: number, isOpen: readonly boolean[]): void {
  if (isOpen.length > 0 && isOpen.every(Boolean)) {
    script.openings.push(`Open Line.${name} term=${terminal}`);
    return;
  }
  isOpen.forEach((open, i) => {
    if (open) script.openings.push(`Open Line.${name} term=${terminal} cond=${i + 1}`);
  });
}

/** Self and mutual value of a matrix whose diagonal is one number and whose rest is another; undefined for any other. */
function balanced({ n, re, im }: ComplexMatrix): { readonly self: number[]; readonly mutual: number[] } | undefined {
  const self = [re[0]!, im[0]!];
  const mutual = n > 1 ? [re[1]!, im[1]!] : [0, 0];
  for (let i = 0; i < n * n; i++) {
    const expected = i % (n + 1) === 0 ? self : mutual;
    if (re[i] !== expected[0] || im[i] !== expected[1]) return undefined;
  }
  return { self, mutual };
}

/**
 * A switching device: a line that is marked as a switch. Such a line has sequence impedances whatever else it is given, so
 * that one with a matrix that they cannot make is a line without the mark.
 */
export function writeSwitch(script: DssScriptText, device: Switch): void {
  const name = script.element('Line', device);
  const none = { n: 1, re: [0], im: [0] };
  const parts = balanced(device.seriesOhm);
  const charging = balanced(device.shuntSiemens ?? none);
  const isSequence = parts !== undefined && charging !== undefined;
  if (!isSequence) {
    const message = `Switch ${device.name} is written as a line without the mark of a switch: its impedance is no sequence impedance.`;
    script.notCarried(device, 'Line', 'switch', message, 'info');
  }
  const { frequencyHz } = script.feeder;
  const sequence = (index: 0 | 1, mutuals: number) => parts && parts.self[index]! + mutuals * parts.mutual[index]!;
  const nanofarad = (mutuals: number) =>
    charging && (charging.self[1]! + mutuals * charging.mutual[1]!) / (2 * Math.PI * frequencyHz * NANO);
  const own = {
    ...{ switch: yesNo(true), r1: sequence(0, -1), x1: sequence(1, -1), r0: sequence(0, 2), x0: sequence(1, 2) },
    ...{ c1: nanofarad(-1), c0: nanofarad(2) },
  };
  script.add(
    newObject('Line', name, {
      bus1: script.at(device.from),
      bus2: script.at(device.to),
      phases: device.from.nodes.length,
      ...(isSequence ? own : matrices(device.seriesOhm, device.shuntSiemens, 1, frequencyHz)),
      length: 1,
      units: 'none',
      normamps: device.ratingA,
      emergamps: device.ratingA,
    }),
  );
  opened(script, name, 1, device.isOpen);
  opened(script, name, 2, device.isOpen);
}

/** A lumped impedance. */
export function writeReactor(script: DssScriptText, reactor: Reactor): void {
  const { n, re, im } = reactor.seriesOhm;
  const name = script.element('Reactor', reactor);
  if (!isSymmetric(reactor.seriesOhm)) {
    const message = `The impedance matrix of reactor ${reactor.name} is not symmetric; OpenDSS reads one triangle, the mean of both is written.`;
    script.notCarried(reactor, 'Reactor', 'seriesOhm', message);
  }
  script.add(
    newObject('Reactor', name, {
      phases: n,
      bus1: script.at(reactor.from),
      bus2: script.at(reactor.to),
      ...(n === 1 ? { R: num(re[0]!), X: num(im[0]!) } : { rmatrix: triangle(n, re), xmatrix: triangle(n, im) }),
      normamps: reactor.ratingA,
      emergamps: reactor.ratingA,
    }),
  );
}
