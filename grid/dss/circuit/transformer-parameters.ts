/*
 * What a Transformer, AutoTrans or XfmrCode is told: its windings and what they share, in the order of the assignments.
 * Source: OpenDSS, Transformer.pas and XfmrCode.pas, checked with dss-python 0.15.7.
 */
import type { Connection } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import { type CircuitReader, commandsOf } from './circuit-reader.js';
import type { DssBus } from './terminal.js';

/** What OpenDSS takes for a reactance of 0 between two windings of a Transformer, %: a hundred times its defaults. */
const NO_REACTANCE_PCT = { high: 700, tertiary: 3500, low: 3000 } as const;

/** A reactance between two windings, %. */
function reactanceOf(
  reader: CircuitReader,
  object: DssObject,
  assignment: DssAssignment,
  insteadOfZero: number,
): number | undefined {
  const value = reader.number(object, assignment);
  if (value !== 0 || object.className !== 'transformer') return value;
  reader.note(
    'warning',
    'BAD_VALUE',
    object,
    `OpenDSS takes a reactance of 0 for ${insteadOfZero} %, and so it is taken here; write a small number for none.`,
    assignment,
    'above 0',
  );
  return insteadOfZero;
}

/** One winding as written. */
export interface WindingParameters {
  bus: DssBus | undefined;
  connection: Connection | 'series';
  kv: number;
  kva: number;
  tap: number;
  resistancePct: number;
  /** Neutral impedance, ohm; a negative resistance means an open neutral. */
  neutralR: number;
  neutralX: number;
  leastTap: number;
  largestTap: number;
  tapCount: number;
}

const winding = (): WindingParameters => ({
  bus: undefined,
  connection: 'wye',
  kv: 12.47,
  kva: 1000,
  tap: 1,
  resistancePct: 0.2,
  neutralR: -1,
  neutralX: 0,
  leastTap: 0.9,
  largestTap: 1.1,
  tapCount: 32,
});

/** Short-circuit reactance between windings whose own was never written, %. */
const OTHER_REACTANCE_PCT = 30;

/** Number of winding pairs. */
const pairsOf = (windings: number): number => (windings * (windings - 1)) / 2;

/** A transformer's parameters while assignments are carried out. */
export class TransformerParameters {
  phases = 3;
  windings: WindingParameters[] = [winding(), winding()];
  active = 0;
  /** Reactances of winding pairs 12, 13, ..., 23, ..., %. */
  reactancesPct: number[] = [7];
  readonly main = { high: 7, tertiary: 35, low: 30 };
  noLoadLossPct = 0;
  magnetisingPct = 0;
  antifloatPpm = 1;
  isDeltaLeading = false;
  bank = '';
  baseFrequencyHz: number | undefined;
  normalKva: number | undefined;

  /** A copy that can be changed on its own. */
  copy(): TransformerParameters {
    const copy = new TransformerParameters();
    Object.assign(copy, this);
    copy.windings = this.windings.map((one) => ({ ...one }));
    copy.reactancesPct = [...this.reactancesPct];
    Object.assign(copy.main, this.main);
    return copy;
  }

  /** Sets the number of windings, which makes all of them anew, also where it stays the same; buses stay. */
  setWindingCount(count: number): void {
    const before = this.windings;
    this.windings = Array.from({ length: count }, (_, w) => ({ ...winding(), bus: before[w]?.bus }));
    this.active = 0;
    const reactances = new Array<number>(pairsOf(count)).fill(OTHER_REACTANCE_PCT);
    reactances[0] = this.reactancesPct[0]!;
    this.reactancesPct = reactances;
  }

  /** The three named reactances make those of two and three windings. */
  useMain(): void {
    const { high, tertiary, low } = this.main;
    if (this.windings.length <= 3) this.reactancesPct = this.windings.length === 2 ? [high] : [high, tertiary, low];
  }

  /** Carries out what an object says on top of what is known. */
  apply(
    reader: CircuitReader,
    object: DssObject,
    codeOf: (assignment: DssAssignment) => TransformerParameters | undefined,
  ): void {
    for (const command of commandsOf(object)) {
      let isMainChanged = false;
      for (const assignment of command) {
        if (assignment.property === 'xfmrcode') {
          this.takeCode(codeOf(assignment));
          continue;
        }
        if (this.applyOne(reader, object, assignment)) isMainChanged = true;
      }
      if (isMainChanged) this.useMain();
    }
  }

  /** Takes everything but the buses from a code. */
  private takeCode(code: TransformerParameters | undefined): void {
    if (!code) return;
    const buses = this.windings.map(({ bus }) => bus);
    const { bank } = this;
    Object.assign(this, code.copy());
    this.windings.forEach((one, w) => {
      one.bus = buses[w];
    });
    this.bank = bank;
    this.active = 0;
  }

  /** @returns true where one of the three named reactances was written */
  private applyOne(reader: CircuitReader, object: DssObject, assignment: DssAssignment): boolean {
    const { property } = assignment;
    const one = this.windings[this.active]!;
    const number = () => reader.number(object, assignment);
    switch (property) {
      case 'phases':
        this.phases = reader.count(object, assignment) ?? this.phases;
        break;
      case 'windings': {
        const count = reader.count(object, assignment, 2);
        if (count !== undefined) this.setWindingCount(count);
        break;
      }
      case 'wdg': {
        const place = reader.count(object, assignment);
        if (place === undefined) break;
        if (place <= this.windings.length) this.active = place - 1;
        else
          reader.note(
            'error',
            'VALUE_OUT_OF_RANGE',
            object,
            'It has no such winding.',
            assignment,
            `1 to ${this.windings.length}`,
          );
        break;
      }
      case 'bus':
        one.bus = reader.bus(object, assignment);
        break;
      case 'conn':
        this.setConnection(reader, object, assignment, one, assignment.value.text);
        break;
      case 'kv':
        one.kv = reader.positive(object, assignment) ?? one.kv;
        break;
      case 'kva':
        this.setKva(reader.positive(object, assignment));
        break;
      case 'tap':
        one.tap = reader.positive(object, assignment) ?? one.tap;
        break;
      case '%r':
        one.resistancePct = number() ?? one.resistancePct;
        break;
      case 'rneut':
        one.neutralR = number() ?? one.neutralR;
        break;
      case 'xneut':
        one.neutralX = number() ?? one.neutralX;
        break;
      case 'maxtap':
        one.largestTap = number() ?? one.largestTap;
        break;
      case 'mintap':
        one.leastTap = number() ?? one.leastTap;
        break;
      case 'numtaps':
        one.tapCount = reader.count(object, assignment) ?? one.tapCount;
        break;
      case 'buses':
        this.active = this.windings.length - 1;
        reader.words(assignment).forEach((text, w) => {
          const place = this.windings[w];
          if (place) place.bus = reader.bus(object, assignment, text);
        });
        break;
      case 'conns':
        this.active = this.windings.length - 1;
        reader.words(assignment).forEach((text, w) => {
          const place = this.windings[w];
          if (place) this.setConnection(reader, object, assignment, place, text);
        });
        break;
      case 'kvs':
        this.setEach(reader, object, assignment, 'kv', true);
        break;
      case 'kvas':
        this.setEach(reader, object, assignment, 'kva', true);
        break;
      case 'taps':
        this.setEach(reader, object, assignment, 'tap', true);
        break;
      case '%rs':
        this.setEach(reader, object, assignment, 'resistancePct', false);
        break;
      case 'xhl':
      case 'xhx':
      case 'x12':
        this.main.high = reactanceOf(reader, object, assignment, NO_REACTANCE_PCT.high) ?? this.main.high;
        return true;
      case 'xht':
      case 'x13':
        this.main.tertiary = reactanceOf(reader, object, assignment, NO_REACTANCE_PCT.tertiary) ?? this.main.tertiary;
        return true;
      case 'xlt':
      case 'xxt':
      case 'x23':
        this.main.low = reactanceOf(reader, object, assignment, NO_REACTANCE_PCT.low) ?? this.main.low;
        return true;
      case 'xscarray': {
        const values = reader.numbers(object, assignment);
        this.reactancesPct = this.reactancesPct.map((x, k) => values[k] ?? x);
        break;
      }
      case '%loadloss': {
        const total = number();
        if (total !== undefined) for (const w of this.windings.slice(0, 2)) w.resistancePct = total / 2;
        break;
      }
      case '%noloadloss':
        this.noLoadLossPct = number() ?? this.noLoadLossPct;
        break;
      case '%imag':
        this.magnetisingPct = number() ?? this.magnetisingPct;
        break;
      case 'ppm_antifloat':
        this.antifloatPpm = number() ?? this.antifloatPpm;
        break;
      case 'leadlag': {
        const word = reader.word(assignment);
        this.isDeltaLeading = word.startsWith('le') || word.startsWith('e');
        break;
      }
      case 'basefreq':
        this.baseFrequencyHz = reader.positive(object, assignment) ?? this.baseFrequencyHz;
        break;
      case 'bank':
        this.bank = assignment.value.text;
        break;
      case 'normhkva':
        this.normalKva = number() ?? this.normalKva;
        break;
    }
    return false;
  }

  private setConnection(
    reader: CircuitReader,
    object: DssObject,
    assignment: DssAssignment,
    place: WindingParameters,
    text: string,
  ): void {
    if (object.className === 'autotrans' && text.trim().toLowerCase().startsWith('s')) place.connection = 'series';
    else place.connection = reader.connection(object, assignment, text) ?? place.connection;
  }

  /** The first winding's rating is every winding's; of two windings both have the same. */
  private setKva(kva: number | undefined): void {
    if (kva === undefined) return;
    this.windings[this.active]!.kva = kva;
    if (this.active === 0) for (const one of this.windings) one.kva = kva;
    else if (this.windings.length === 2) this.windings[0]!.kva = kva;
  }

  private setEach(
    reader: CircuitReader,
    object: DssObject,
    assignment: DssAssignment,
    property: 'kv' | 'kva' | 'tap' | 'resistancePct',
    isPositive: boolean,
  ): void {
    const values = reader.numbers(object, assignment);
    // A list ends at the last winding: what follows without `wdg` is meant for it.
    this.active = this.windings.length - 1;
    this.windings.forEach((one, w) => {
      const value = values[w];
      if (value === undefined) return;
      if (!isPositive || value > 0) one[property] = value;
      else
        reader.note(
          'error',
          'VALUE_OUT_OF_RANGE',
          object,
          'Its values must be above 0; this one is left as it was.',
          assignment,
          'above 0',
        );
    });
  }
}
