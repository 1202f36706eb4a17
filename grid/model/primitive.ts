import { ComplexDense, type DenseStore } from '../math/index.js';
import type { Terminal } from './bus.js';
import type { Capacitor, ComplexMatrix, CurrentSource, Line, Reactor, Source, Switch } from './element.js';

/** Where one conductor of an element ends: a node of a bus, 0 for ground. */
export interface Conductor {
  /** Terminal number from 1. */
  readonly terminal: number;
  readonly bus: string;
  readonly node: number;
}

/**
 * Primitive admittance of an element: currents into the element at its conductors are `y` times their voltages
 * to ground, S.
 */
export interface Primitive {
  readonly conductors: readonly Conductor[];
  readonly y: ComplexDense;
}

/**
 * Resistance and reactance given to a conductor without any series impedance, ohm: 400 A drop 6 mV over it. OpenDSS makes
 * its switches of 1 mohm; a hundredth of that still leaves a matrix that double precision solves to 1e-9.
 */
export const LEAST_SERIES_OHM = 1e-5;

/** Matrices of impedances that are used up at once, by order. */
const room: ComplexDense[] = [];

/** The series impedance with the least value on each conductor that has none; used up before the next is made. */
function seriesMatrix({ n, re, im }: ComplexMatrix): ComplexDense {
  let z = room[n];
  if (!z) {
    z = new ComplexDense(n);
    room[n] = z;
  }
  const { data } = z;
  const square = n * n;
  for (let k = 0; k < square; k++) {
    data[k] = re[k]!;
    data[square + k] = im[k]!;
  }
  for (let k = 0; k < square; k += n + 1) {
    if (data[k] === 0 && data[square + k] === 0) {
      data[k] = LEAST_SERIES_OHM;
      data[square + k] = LEAST_SERIES_OHM;
    }
  }
  return z;
}

/** Conductors of one terminal, in order. */
export function conductorsOf(terminal: Terminal, number: number): Conductor[] {
  return terminal.nodes.map((node) => ({ terminal: number, bus: terminal.bus, node }));
}

/** An element between two terminals; its conductors are listed when first asked for, as few are. */
class BranchPrimitive implements Primitive {
  private list: readonly Conductor[] | undefined;

  constructor(
    private readonly from: Terminal,
    private readonly to: Terminal,
    readonly y: ComplexDense,
  ) {}

  get conductors(): readonly Conductor[] {
    this.list ??= [...conductorsOf(this.from, 1), ...conductorsOf(this.to, 2)];
    return this.list;
  }
}

/**
 * Admittance of two terminals joined by a series admittance with half of a shunt at each end: the nominal pi.
 *
 * @param seriesOhm - series impedance matrix, n by n; it is used up
 * @param shuntSiemens - whole shunt admittance, of which the imaginary part counts; absent for none
 * @param store - where the admittance is put
 */
function nominalPi(seriesOhm: ComplexDense, shuntSiemens?: ComplexMatrix, store?: DenseStore): ComplexDense {
  const n = seriesOhm.n;
  const { data, offset } = seriesOhm.invert();
  const y = store?.matrix(2 * n) ?? new ComplexDense(2 * n);
  const shunt = shuntSiemens?.im;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const re = data[offset + i * n + j]!;
      const im = data[offset + n * n + i * n + j]!;
      const half = shunt ? shunt[i * n + j]! / 2 : 0;
      y.add(i, j, re, im + half);
      y.add(n + i, n + j, re, im + half);
      y.add(i, n + j, -re, -im);
      y.add(n + i, j, -re, -im);
    }
  }
  return y;
}

/**
 * Nominal pi of a line: inverse of the series impedance, half of the shunt susceptance at each end. An end that is open
 * is taken out by Kron's reduction, so that the conductor keeps its charging and its coupling from the closed end
 * (OpenDSS `DoYprimCalcs`).
 *
 * @param store - where the admittance is put
 * @throws DecError SINGULAR when the series impedance has no inverse
 */
export function lineAdmittance({ from, to, seriesOhm, shuntSiemens, isOpen }: Line, store?: DenseStore): ComplexDense {
  const y = nominalPi(seriesMatrix(seriesOhm), shuntSiemens, store);
  if (isOpen) {
    const n = from.nodes.length;
    for (let i = 0; i < n; i++) if (isOpen.from[i]) y.eliminate(i);
    for (let i = 0; i < to.nodes.length; i++) if (isOpen.to[i]) y.eliminate(n + i);
  }
  return y;
}

/**
 * A line with its conductors, see {@link lineAdmittance}.
 *
 * @throws DecError SINGULAR when the series impedance has no inverse
 */
export function linePrimitive(line: Line): Primitive {
  return new BranchPrimitive(line.from, line.to, lineAdmittance(line));
}

/**
 * Admittance of a reactor: in series between its ends, nothing to ground but what ends there.
 *
 * @throws DecError SINGULAR when the impedance has no inverse
 */
export function reactorAdmittance(reactor: Reactor, store?: DenseStore): ComplexDense {
  return nominalPi(seriesMatrix(reactor.seriesOhm), undefined, store);
}

/**
 * A reactor with its conductors, see {@link reactorAdmittance}.
 *
 * @throws DecError SINGULAR when the impedance has no inverse
 */
export function reactorPrimitive(reactor: Reactor): Primitive {
  return new BranchPrimitive(reactor.from, reactor.to, reactorAdmittance(reactor));
}

/**
 * Admittance of a switch: the series impedance of the closed conductors; open conductors carry nothing.
 *
 * @param isOpen - state by conductor
 * @throws DecError SINGULAR when the impedance of the closed conductors has no inverse
 */
export function switchAdmittance(device: Switch, isOpen: readonly boolean[], store?: DenseStore): ComplexDense {
  const n = device.from.nodes.length;
  const closed = device.from.nodes.map((_, i) => i).filter((i) => !isOpen[i]);
  const y = store?.matrix(2 * n) ?? new ComplexDense(2 * n);
  if (closed.length === 0) return y;
  const { data } = seriesMatrix(device.seriesOhm);
  const z = new ComplexDense(closed.length);
  closed.forEach((i, a) => {
    closed.forEach((j, b) => {
      z.add(a, b, data[i * n + j]!, data[n * n + i * n + j]!);
    });
  });
  const series = z.invert().data;
  const square = closed.length * closed.length;
  closed.forEach((i, a) => {
    closed.forEach((j, b) => {
      const re = series[a * closed.length + b]!;
      const im = series[square + a * closed.length + b]!;
      const half = (device.shuntSiemens?.im[i * n + j] ?? 0) / 2;
      y.add(i, j, re, im + half);
      y.add(n + i, n + j, re, im + half);
      y.add(i, n + j, -re, -im);
      y.add(n + i, j, -re, -im);
    });
  });
  return y;
}

/**
 * A switch with its conductors, see {@link switchAdmittance}.
 *
 * @param isOpen - state by conductor
 * @throws DecError SINGULAR when the impedance of the closed conductors has no inverse
 */
export function switchPrimitive(device: Switch, isOpen: readonly boolean[]): Primitive {
  return new BranchPrimitive(device.from, device.to, switchAdmittance(device, isOpen));
}

/**
 * The impedance behind a source by symmetrical components: self (2 Z1 + Z0) / 3, mutual (Z0 - Z1) / 3.
 *
 * @throws DecError SINGULAR when the impedance has no inverse
 */
export function sourcePrimitive(source: Source): Primitive {
  const n = source.terminal.nodes.length;
  const z = new ComplexDense(n);
  const selfR = (2 * source.r1Ohm + source.r0Ohm) / 3;
  const selfX = (2 * source.x1Ohm + source.x0Ohm) / 3;
  const mutualR = (source.r0Ohm - source.r1Ohm) / 3;
  const mutualX = (source.x0Ohm - source.x1Ohm) / 3;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) z.add(i, j, i === j ? selfR : mutualR, i === j ? selfX : mutualX);
  }
  const { terminal, returnTerminal } = source;
  if (returnTerminal) return new BranchPrimitive(terminal, returnTerminal, nominalPi(z));
  return { conductors: conductorsOf(terminal, 1), y: z.invert() };
}

/**
 * Open-circuit voltages of a source from its return (ground where it has none), V, interleaved re/im in conductor order;
 * the conductors of the return have 0.
 *
 * @param lineToLineV - open-circuit line-to-line voltage (across the source when it has one phase), V
 */
export function sourceVoltages(source: Source, lineToLineV: number): Float64Array {
  const n = source.terminal.nodes.length;
  const magnitude = n === 1 ? lineToLineV : lineToLineV / (2 * Math.sin(Math.PI / n));
  const voltages = new Float64Array(2 * (n + (source.returnTerminal?.nodes.length ?? 0)));
  const turn = source.sequence === undefined ? -1 : source.sequence === 'negative' ? 1 : 0;
  for (let i = 0; i < n; i++) {
    const angle = source.angleRad + (turn * 2 * Math.PI * i) / n;
    voltages[2 * i] = magnitude * Math.cos(angle);
    voltages[2 * i + 1] = magnitude * Math.sin(angle);
  }
  return voltages;
}

/** A source of current: its conductors, with no admittance between them. */
export function currentSourcePrimitive({ terminal, returnTerminal }: CurrentSource): Primitive {
  const conductors = conductorsOf(terminal, 1);
  if (returnTerminal) conductors.push(...conductorsOf(returnTerminal, 2));
  return { conductors, y: new ComplexDense(conductors.length) };
}

/** Currents that a source of current gives to its conductors, A, interleaved re/im; those of its return are the opposite. */
export function injectedCurrents({
  terminal,
  returnTerminal,
  currentA,
  angleRad,
  sequence,
}: CurrentSource): Float64Array {
  const n = terminal.nodes.length;
  const currents = new Float64Array(2 * (n + (returnTerminal?.nodes.length ?? 0)));
  const turn = sequence === undefined ? -1 : sequence === 'negative' ? 1 : 0;
  for (let i = 0; i < n; i++) {
    const angle = angleRad + (turn * 2 * Math.PI * i) / Math.max(3, n);
    currents[2 * i] = currentA * Math.cos(angle);
    currents[2 * i + 1] = currentA * Math.sin(angle);
    if (!returnTerminal) continue;
    currents[2 * (n + i)] = -currents[2 * i]!;
    currents[2 * (n + i) + 1] = -currents[2 * i + 1]!;
  }
  return currents;
}

/** Susceptance of one section of one share of a capacitor, S. The sign of the given var does not matter. */
export function sectionSusceptance(capacitor: Capacitor, share: number): number {
  const total = capacitor.shares.reduce((sum, s) => sum + Math.abs(s.powerVar), 0);
  const own = capacitor.shares[share]!;
  const part = total > 0 ? Math.abs(own.powerVar) / total : 1 / capacitor.shares.length;
  return (Math.abs(capacitor.sectionVar) * part) / own.ratedVoltageV ** 2;
}

/** Nodes of a capacitor bank, each once, without ground. */
export function capacitorNodes({ shares }: Capacitor): number[] {
  return [...new Set(shares.flatMap((s) => [s.node, s.otherNode]))].filter((node) => node !== 0);
}

/**
 * A capacitor bank with the given sections in service.
 *
 * @param sectionsOn - sections in service by share
 */
export function capacitorPrimitive(capacitor: Capacitor, sectionsOn: readonly number[]): Primitive {
  const nodes = capacitorNodes(capacitor);
  const y = new ComplexDense(nodes.length);
  capacitor.shares.forEach((share, k) => {
    const b = sectionSusceptance(capacitor, k) * (sectionsOn[k] ?? 0);
    y.addBetween(nodes.indexOf(share.node), nodes.indexOf(share.otherNode), 0, b);
  });
  return { conductors: nodes.map((node) => ({ terminal: 1, bus: capacitor.terminal.bus, node })), y };
}
