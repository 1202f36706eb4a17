/**
 * A synthetic feeder of the size and character of the IEEE 8500-node test feeder, as rows: what there is and how it is
 * connected. 4,900 buses and 8,500 nodes by default: 600 three-phase and 1,900 one-phase buses at 12.47 kV, 1,200
 * centre-tapped service transformers each with a pole bus and a house bus of two legs, 2,350 loads of one leg, four banks
 * of three regulators, four switched capacitors. Other sizes keep the proportions; beyond about 13,000 nodes further
 * feeders start at the same substation. The same seed gives the same feeder.
 *
 * What makes a circuit of this kind is taken from: Arritt and Dugan (2010), "The IEEE 8500-node test feeder", IEEE PES
 * T&D: one 115/12.47 kV substation of 27.5 MVA, a long main, one-phase laterals, about 11 MW behind 120/240 V services.
 */
import { DecError, type RandomStream, randomStream } from '../../grid/math/index.js';
import type { PrimaryPhase } from './ieee123-circuit.js';
import type { Point } from './layout.js';

/** Size and seed. */
export interface SyntheticOptions {
  /** Nodes in all, at least 100. Default 8,500. */
  readonly nodes?: number;
  readonly seed?: number;
  /** Mean load of a service transformer, kW. */
  readonly serviceKw?: number;
}

/** A bus of the medium-voltage part. */
export interface MediumBus {
  readonly name: string;
  readonly phases: readonly PrimaryPhase[];
  readonly at: Point;
}

/** A line of the medium-voltage part; three phases or one. */
export interface MediumLine {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly phases: readonly PrimaryPhase[];
  readonly lengthM: number;
}

/** A bank of three one-phase regulators. */
export interface RegulatorBank {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly delayS: number;
}

/** A three-phase capacitor with a voltage control. */
export interface CapacitorBank {
  readonly name: string;
  readonly bus: string;
  readonly kvar: number;
  readonly delayS: number;
}

/** A centre-tapped service transformer, its drop and the loads at its end. */
export interface Service {
  readonly name: string;
  readonly mediumBus: string;
  readonly phase: PrimaryPhase;
  readonly kva: number;
  readonly poleBus: string;
  readonly houseBus: string;
  readonly at: Point;
  readonly dropM: number;
  /** Loads of the legs s1 and s2, W and var; the second may be missing. */
  readonly legs: readonly { readonly powerW: number; readonly powerVar: number }[];
}

/** The whole circuit. */
export interface SyntheticCircuit {
  readonly name: string;
  readonly nodes: number;
  readonly seed: number;
  readonly sourceBus: string;
  readonly headBus: string;
  readonly substationVA: number;
  readonly buses: readonly MediumBus[];
  readonly lines: readonly MediumLine[];
  readonly banks: readonly RegulatorBank[];
  readonly capacitors: readonly CapacitorBank[];
  readonly services: readonly Service[];
}

/** Voltages, V line to line. */
export const HIGH_V = 115_000;
export const MEDIUM_V = 12_470;

const CLASS_NODES = 8500;
const CLASS_SERVICES = 1200;
const CLASS_THREE_PHASE = 600;
const SUBSTATION_VA = 27.5e6;
const SERVICE_KW = 9.2;
const RATINGS_KVA = [10, 15, 25, 37.5, 50, 75, 100];
const ABC: readonly PrimaryPhase[] = ['A', 'B', 'C'];
/** Part of the three-phase buses that stand on the main. */
const MAIN_PART = 0.2;
/** Every so many services there is a house on one leg alone. */
const ONE_LEG_EVERY = 24;

interface Growth {
  readonly buses: MediumBus[];
  readonly lines: MediumLine[];
  readonly banks: RegulatorBank[];
  readonly capacitors: CapacitorBank[];
}

function step(from: Point, headingRad: number, lengthM: number): Point {
  return { x: from.x + lengthM * Math.cos(headingRad), y: from.y + lengthM * Math.sin(headingRad) };
}

/** The three-phase part of one feeder: a main with regulators on it, and branches. */
function growThreePhase(
  into: Growth,
  prefix: string,
  head: MediumBus,
  count: number,
  random: RandomStream,
): MediumBus[] {
  const own: MediumBus[] = [];
  const hasDevices = count >= 20;
  const isLarge = count >= 100;
  const extend = (from: MediumBus, headingRad: number, lengthM: number, bankDelayS?: number) => {
    const bus = { name: `${prefix}m${own.length + 1}`, phases: ABC, at: step(from.at, headingRad, lengthM) };
    own.push(bus);
    into.buses.push(bus);
    const ends = { from: from.name, to: bus.name };
    if (bankDelayS === undefined) into.lines.push({ name: `ln_${bus.name}`, ...ends, phases: ABC, lengthM });
    else into.banks.push({ name: `vreg_${bus.name}`, ...ends, delayS: bankDelayS });
    return bus;
  };
  const main: MediumBus[] = [];
  const mainCount = Math.max(1, Math.round(count * MAIN_PART));
  const bankAt = new Map(
    isLarge
      ? [
          [0, 30],
          [Math.round(mainCount * 0.35), 45],
          [Math.round(mainCount * 0.7), 60],
        ]
      : [],
  );
  if (hasDevices && !isLarge) bankAt.set(0, 30);
  for (let i = 0, bus = head; i < mainCount; i++) {
    const delayS = bankAt.get(i);
    bus = extend(bus, random.uniform(-0.4, 0.4), delayS === undefined ? random.uniform(40, 90) : 2, delayS);
    main.push(bus);
  }
  const capacitorAt = isLarge ? [0.25, 0.5, 0.75, 0.95] : hasDevices ? [0.8] : [];
  capacitorAt.forEach((part, k) => {
    const { name } = main[Math.min(mainCount - 1, Math.round(mainCount * part))]!;
    into.capacitors.push({ name: `cap_${name}`, bus: name, kvar: isLarge ? 600 : 150, delayS: 100 + 15 * k });
  });
  for (let isFirst = true; own.length < count; isFirst = false) {
    // The first branch is a long one with a bank of its own.
    const start = isFirst && isLarge ? main[mainCount >> 1]! : random.pick(main);
    const length = isFirst ? 40 : 5 + random.integer(25);
    const heading = random.chance(0.5) ? 1.4 : -1.4;
    let bus = start;
    for (let i = 0; i < length && own.length < count; i++) {
      const isBank = isFirst && isLarge && i === 0;
      bus = extend(
        bus,
        heading + random.uniform(-0.3, 0.3),
        isBank ? 2 : random.uniform(30, 80),
        isBank ? 75 : undefined,
      );
    }
  }
  return own;
}

/** One-phase laterals from random three-phase buses. */
function growLaterals(into: Growth, prefix: string, from: readonly MediumBus[], count: number, random: RandomStream) {
  const own: MediumBus[] = [];
  for (let lateral = 0; own.length < count; lateral++) {
    const phase = ABC[lateral % 3]!;
    const first = own.length;
    const length = 3 + random.integer(18);
    const heading = random.uniform(-Math.PI, Math.PI);
    let bus = random.pick(from);
    for (let i = 0; i < length && own.length < count; i++) {
      if (i > 2 && random.chance(0.15)) bus = own[first + random.integer(own.length - first)]!;
      const lengthM = random.uniform(25, 75);
      const next: MediumBus = {
        name: `${prefix}l${own.length + 1}`,
        phases: [phase],
        at: step(bus.at, heading + random.uniform(-0.7, 0.7), lengthM),
      };
      own.push(next);
      into.buses.push(next);
      into.lines.push({ name: `ln_${next.name}`, from: bus.name, to: next.name, phases: [phase], lengthM });
      bus = next;
    }
  }
  return own;
}

/** A load drawn with a long tail, and the transformer that carries it. */
function service(
  name: string,
  bus: MediumBus,
  phase: PrimaryPhase,
  index: number,
  meanKw: number,
  random: RandomStream,
) {
  const kw = Math.min(70, meanKw * Math.exp(random.normal(-0.18, 0.6)));
  const powerFactor = random.uniform(0.95, 0.995);
  const isOneLeg = index % ONE_LEG_EVERY === 0;
  const first = isOneLeg ? 1 : random.uniform(0.4, 0.6);
  const kvar = kw * Math.tan(Math.acos(powerFactor));
  const needed = (1.15 * kw) / powerFactor / (isOneLeg ? 0.5 : 1);
  const leg = (part: number) => ({
    powerW: Math.round(part * kw * 1000),
    powerVar: Math.round(part * kvar * 1000),
  });
  return {
    name: `xf_${name}`,
    mediumBus: bus.name,
    phase,
    kva: RATINGS_KVA.find((rating) => rating >= needed) ?? 100,
    poleBus: `x_${name}`,
    houseBus: `h_${name}`,
    at: bus.at,
    dropM: Math.round(random.uniform(10, 32) * 10) / 10,
    legs: isOneLeg ? [leg(first)] : [leg(first), leg(1 - first)],
  };
}

/** The share of a whole that falls to part `k` of `parts`; the shares sum to the whole. */
function shareOf(whole: number, k: number, parts: number): number {
  return Math.floor((whole * (k + 1)) / parts) - Math.floor((whole * k) / parts);
}

/**
 * Draws the circuit.
 *
 * @throws DecError BAD_ARGUMENT for fewer than 100 nodes
 */
export function syntheticCircuit(options: SyntheticOptions = {}): SyntheticCircuit {
  const nodes = options.nodes ?? CLASS_NODES;
  const seed = options.seed ?? 1;
  if (!Number.isInteger(nodes) || nodes < 100) {
    throw new DecError('BAD_ARGUMENT', `A synthetic feeder has 100 nodes or more, not ${nodes}.`, { nodes });
  }
  const services = Math.round((nodes * CLASS_SERVICES) / CLASS_NODES);
  const threePhase = Math.round((nodes * CLASS_THREE_PHASE) / CLASS_NODES);
  const onePhase = nodes - 3 * threePhase - 4 * services;
  const feeders = Math.max(1, Math.round(nodes / CLASS_NODES));
  const random = randomStream(seed).split('synthetic feeder').split(nodes);
  const source: MediumBus = { name: 'hv', phases: ABC, at: { x: -50, y: 0 } };
  const head: MediumBus = { name: 'mv', phases: ABC, at: { x: 0, y: 0 } };
  const growth: Growth = { buses: [source, head], lines: [], banks: [], capacitors: [] };
  const list: Service[] = [];
  for (let f = 0; f < feeders; f++) {
    const prefix = feeders === 1 ? '' : `f${f + 1}_`;
    const own = random.split(`feeder ${f}`);
    const count = shareOf(threePhase - 2, f, feeders);
    const trunk = growThreePhase(growth, prefix, head, count, own.split('three-phase'));
    const laterals = growLaterals(growth, prefix, trunk, shareOf(onePhase, f, feeders), own.split('laterals'));
    const places = own.split('places').shuffled([...laterals, ...trunk.slice(1)]);
    const draw = own.split('services');
    for (let k = 0; k < shareOf(services, f, feeders); k++) {
      const bus = places[k % places.length]!;
      const phase = bus.phases.length === 1 ? bus.phases[0]! : ABC[k % 3]!;
      const name = `${prefix}${k + 1}`;
      list.push(service(name, bus, phase, list.length, options.serviceKw ?? SERVICE_KW, draw.split(k)));
    }
  }
  return {
    name: `synthetic${nodes}`,
    nodes,
    seed,
    sourceBus: source.name,
    headBus: head.name,
    substationVA: SUBSTATION_VA * feeders,
    ...growth,
    services: list,
  };
}
