import { type LimitRows, solveLimits } from '../../math/index.js';
import { type RoundSums, residualsOf } from '../coordinator-update.js';
import { balanceFactor, hasDiverged, type Pace, relax, restartPace, settles, startPace } from '../pacing.js';
import { ROW_TOLERANCE } from '../projection.js';
import type { RoundProgress } from '../star.js';
import type { StarSettings } from '../star-settings.js';
import type { AreaDirective, AreaLink, AreaReport, AreaRow } from './area.js';
import type { AreaTreeData } from './area-split.js';
import { DenseFactor } from './dense-factor.js';

/*
 * The feeder's half of the second level: what happens at the links between areas.
 *
 * Solved: the projection of a round on the whole primary, of which every area has eliminated its own part. By link and phase
 *         unknown are voltage v, power S, and their prices nu and pi; with the areas' reports the conditions are
 *           sum of areas (response inputs + constant) - [nu; pi; S; v] = 0,
 *         and the prices of told limits are 0 or the limit is met (limit-programme.ts).
 * Steps: 1. sums of the areas' last round give residuals, the stop and the pace, as in coordinator-update.ts; 2. one
 *        substitution for the links, one by limit that ever binds.
 * Cost: O((18 links)^3) when a response changes, O((18 links)^2) else.
 * Faults: for three rounds the last report of a silent area stands, afterwards its agents count as staying where they are: its
 *         power is a parameter, its limits still bind the others. A report takes it in again. An area that was never heard is
 *         to the others as if it were not there; the AC power flow of the dispatch is what tells then.
 * Rounds: those of the star and two more: what the opening leads to is told by the first answer, and what a round came to with
 *         the next report.
 */

/** Rounds without a report after which an area counts as given. */
const GIVEN_UP_ROUNDS = 3;

/** What the feeder knows of an area. */
interface AreaState {
  readonly response: readonly number[];
  readonly givenResponse: readonly number[];
  report: AreaReport;
  readonly rows: AreaRow[];
  absentRounds: number;
}

/** What the feeder remembers between rounds. */
export interface FeederMemory extends Pace {
  readonly areas: Map<string, AreaState>;
  /** Prices of told limits by area and row. */
  readonly multipliers: Map<string, number>;
  /** Projections that have been made and judged. */
  steps: number;
  /** Round before the first of this problem. */
  readonly firstRound: number;
  rhoOfLeast: number;
  system: LinkSystem | undefined;
}

/** Memory of a cold start, or of the last problem's prices, pace and silent areas. */
export function feederMemory(settings: StarSettings, before?: FeederMemory): FeederMemory {
  return {
    ...startPace(settings),
    ...(before ? { rho: before.rho, round: before.round, relaxation: before.relaxation } : {}),
    // Of an area that is silent nothing newer will come.
    areas: new Map([...(before?.areas ?? [])].filter(([, { absentRounds }]) => absentRounds >= GIVEN_UP_ROUNDS)),
    multipliers: before?.multipliers ?? new Map(),
    steps: before?.steps ?? 0,
    firstRound: before?.round ?? 0,
    rhoOfLeast: before?.rho ?? settings.rho,
    system: undefined,
  };
}

function isUsable(report: AreaReport | undefined, channels: number, known: number): report is AreaReport {
  if (!report) return false;
  const count = channels + known + report.rows.filter((row) => row.row >= 0).length;
  const isVector = (list: readonly number[], length: number) => list.length === length && list.every(Number.isFinite);
  if (!Number.isFinite(report.powerChangeW) || !Number.isFinite(report.alphaChange)) return false;
  if (report.sums && !Object.values(report.sums).every((value) => Number.isFinite(value) && value >= 0)) return false;
  const { response, given } = report;
  const size = report.constant.length;
  if (size > count || size < channels) return false;
  return (
    isVector(report.constant, size) &&
    isVector(given.constant, size) &&
    (report.perRelaxation === undefined || isVector(report.perRelaxation, size)) &&
    (response === undefined || (isVector(response, size * size) && isVector(given.response ?? [], size * size)))
  );
}

/** Takes reports; returns names of the areas that sent none that can be used. */
function takeReports(tree: AreaTreeData, memory: FeederMemory, reports: ReadonlyMap<string, AreaReport>): string[] {
  const missing: string[] = [];
  for (const [a, { areaId }] of tree.areas.entries()) {
    const report = reports.get(areaId);
    const known = memory.areas.get(areaId);
    if (!isUsable(report, channelCount(tree, a), known?.rows.length ?? 0) || (!known && !report.response)) {
      missing.push(areaId);
      if (!known) continue;
      known.absentRounds++;
      if (known.absentRounds === GIVEN_UP_ROUNDS) memory.system = undefined;
      continue;
    }
    const rows = known?.rows ?? [];
    for (const row of report.rows) {
      const at = rows.findIndex((one) => one.row === row.row);
      if (at < 0) rows.push(row);
      else rows[at] = row;
    }
    if (report.response || !known || known.absentRounds >= GIVEN_UP_ROUNDS) memory.system = undefined;
    memory.areas.set(areaId, {
      response: report.response ?? known!.response,
      givenResponse: report.given.response ?? known!.givenResponse,
      report,
      rows,
      absentRounds: 0,
    });
  }
  return missing;
}

function channelCount({ links, linkAbove, linksBelow }: AreaTreeData, area: number): number {
  const above = linkAbove[area]!;
  const width = (link: AreaLink | undefined) => (link ? 3 * link.width : 0);
  return width(links[above]) + linksBelow[area]!.reduce((sum, link) => sum + width(links[link]), 0);
}

/** Takes the reports of a round; directives for all areas unless the rounds have converged. */
export function feederUpdate(
  tree: AreaTreeData,
  memory: FeederMemory,
  reports: ReadonlyMap<string, AreaReport>,
  settings: StarSettings,
): { readonly directives: ReadonlyMap<string, AreaDirective>; readonly progress: RoundProgress } {
  memory.round++;
  const missing = takeReports(tree, memory, reports);
  const progress = judge(tree, memory, missing, settings);
  const directives = new Map<string, AreaDirective>();
  if (progress.hasConverged) return { directives, progress };
  memory.system ??= new LinkSystem(tree, memory);
  const inputs = memory.system.solve(memory);
  for (const [areaId, own] of inputs) {
    const { rho, relaxation, round } = memory;
    directives.set(areaId, { round, inputs: own, rho, relaxation });
  }
  return { directives, progress };
}

function judge(
  tree: AreaTreeData,
  memory: FeederMemory,
  missing: readonly string[],
  settings: StarSettings,
): RoundProgress {
  const sums: RoundSums = { primal: 0, dual: 0, sizeX: 0, sizeZ: 0, sizeU: 0, count: 0 };
  let isSummed = true;
  let isAwaiting = false;
  let isBorne = memory.areas.size === tree.areas.length;
  let powerChangeW = 0;
  let alphaChange = 0;
  const absent = [...missing];
  for (const { areaId } of tree.areas) {
    const state = memory.areas.get(areaId);
    if (!state) {
      // Nothing is known of an area that was never heard; others go on without it.
      if (memory.round - memory.firstRound < GIVEN_UP_ROUNDS) isSummed = false;
      continue;
    }
    if (state.absentRounds > 0) {
      isAwaiting ||= state.absentRounds < GIVEN_UP_ROUNDS;
      continue;
    }
    const { report } = state;
    isBorne &&= report.isBorne === true;
    absent.push(...report.missing);
    isAwaiting ||= report.isAwaiting;
    powerChangeW = Math.max(powerChangeW, report.powerChangeW);
    alphaChange = Math.max(alphaChange, report.alphaChange);
    if (!report.sums) isSummed = false;
    else {
      const { primal, dual, sizeX, sizeZ, sizeU, count } = report.sums;
      sums.primal += primal;
      sums.dual += dual;
      sums.sizeX += sizeX;
      sums.sizeZ += sizeZ;
      sums.sizeU += sizeU;
      sums.count += count;
    }
  }
  const { rho } = memory;
  if (!isSummed) {
    const none = { primalResidual: 0, primalTolerance: 0, dualResidual: 0, dualTolerance: 0 };
    return {
      round: memory.round,
      rho,
      ...none,
      hasConverged: isBorne && absent.length === 0,
      powerChangeW,
      missing: absent,
    };
  }
  memory.steps++;
  const residuals = residualsOf(sums, rho, settings);
  const { primalResidual, primalTolerance, dualResidual, dualTolerance } = residuals;
  const hasConverged = settles(memory, settings, { ...residuals, powerChangeW, alphaChange, isAwaiting });
  const residual = Math.hypot(primalResidual, dualResidual);
  const progress = { round: memory.round, rho, ...residuals, hasConverged, powerChangeW, missing: absent };
  if (hasDiverged(memory, residual, Math.hypot(primalTolerance, dualTolerance))) {
    restartPace(memory, Math.sqrt(rho * memory.rhoOfLeast));
    return { ...progress, isRestarted: true };
  }
  if (residual <= memory.leastResidual) memory.rhoOfLeast = rho;
  relax(memory, settings, residual);
  memory.rho *= balanceFactor({ ...memory, round: memory.steps }, residuals);
  return progress;
}

/** Where an area's channels are among the unknowns of the links. */
function placesOf({ links, linkAbove, linksBelow }: AreaTreeData, offsets: readonly number[], area: number): number[] {
  const places: number[] = [];
  const run = (from: number, count: number) => {
    for (let k = 0; k < count; k++) places.push(from + k);
  };
  const above = linkAbove[area]!;
  if (above >= 0) {
    const { width } = links[above]!;
    run(offsets[above]!, width);
    run(offsets[above]! + 3 * width, 2 * width);
  }
  for (const below of linksBelow[area]!) {
    const { width } = links[below]!;
    run(offsets[below]! + width, 2 * width);
    run(offsets[below]! + 5 * width, width);
  }
  return places;
}

/** By link v, P, Q, price of P, price of Q, price of v. */
class LinkSystem {
  private readonly factor: DenseFactor;
  private readonly size: number;
  private readonly parts: readonly {
    readonly areaId: string;
    readonly places: readonly number[];
    readonly rows: readonly AreaRow[];
    readonly firstRow: number;
    readonly isGiven: boolean;
    readonly response: readonly number[];
    readonly width: number;
  }[];
  private readonly limits: LimitRows;
  private readonly columns = new Map<number, Float64Array>();
  private readonly moves = new Map<number, Float64Array>();

  constructor(tree: AreaTreeData, { areas }: FeederMemory) {
    const offsets: number[] = [];
    let size = 0;
    for (const { width } of tree.links) {
      offsets.push(size);
      size += 6 * width;
    }
    this.size = size;
    let rowCount = 0;
    this.parts = tree.areas.flatMap(({ areaId }, a) => {
      const state = areas.get(areaId);
      if (!state) return [];
      const isGiven = state.absentRounds >= GIVEN_UP_ROUNDS;
      const firstRow = rowCount;
      const places = placesOf(tree, offsets, a);
      const width = state.report.constant.length;
      const rows = state.rows.slice(0, width - places.length);
      rowCount += rows.length;
      const response = isGiven ? state.givenResponse : state.response;
      return [{ areaId, places, rows, firstRow, isGiven, response, width }];
    });
    const matrix = new Float64Array(size * size);
    for (const { places, response, width } of this.parts) {
      for (const [j, row] of places.entries()) {
        for (const [k, column] of places.entries()) matrix[row * size + column]! += response[j * width + k]!;
      }
    }
    for (const [link, { width }] of tree.links.entries()) {
      const at = offsets[link]!;
      const pair = (a: number, b: number) => {
        matrix[a * size + b]! -= 1;
        matrix[b * size + a]! -= 1;
      };
      for (let k = 0; k < width; k++) {
        pair(at + k, at + 5 * width + k);
        pair(at + width + k, at + 3 * width + k);
        pair(at + 2 * width + k, at + 4 * width + k);
      }
    }
    this.factor = new DenseFactor(matrix, size);
    const told = this.parts.flatMap(({ rows }) => rows);
    this.limits = {
      count: rowCount,
      lower: Float64Array.from(told, ({ lower }) => lower ?? -Infinity),
      upper: Float64Array.from(told, ({ upper }) => upper ?? Infinity),
      cap: Float64Array.from(told, ({ cap }) => cap ?? Infinity),
      column: (i) => this.column(i),
    };
  }

  /** How the links move with the price of a row; how the rows do, with the sign of limit-programme.ts. */
  private column(i: number): Float64Array {
    const known = this.columns.get(i);
    if (known) return known;
    const part = this.parts.find(({ firstRow, rows }) => i >= firstRow && i < firstRow + rows.length)!;
    const channel = part.places.length + i - part.firstRow;
    const move = new Float64Array(this.size);
    for (const [j, place] of part.places.entries()) move[place]! -= part.response[j * part.width + channel]!;
    this.factor.solve(move);
    const column = this.rowsOf(move);
    for (let k = 0; k < part.rows.length; k++) {
      column[part.firstRow + k]! += part.response[(part.places.length + k) * part.width + channel]!;
    }
    for (let k = 0; k < column.length; k++) column[k] = -column[k]!;
    this.columns.set(i, column);
    this.moves.set(i, move);
    return column;
  }

  /** What the rows move by when the links do. */
  private rowsOf(links: Float64Array): Float64Array {
    const values = new Float64Array(this.limits?.count ?? 0);
    for (const { places, rows, firstRow, response, width } of this.parts) {
      for (let k = 0; k < rows.length; k++) {
        let sum = 0;
        for (const [j, place] of places.entries()) sum += response[(places.length + k) * width + j]! * links[place]!;
        values[firstRow + k] = sum;
      }
    }
    return values;
  }

  /** Inputs of every area's channels. */
  solve({ areas, multipliers, relaxation }: FeederMemory): Map<string, number[]> {
    const { size, parts, limits } = this;
    const links = new Float64Array(size);
    const constants = parts.map(({ areaId, isGiven }) => {
      const { constant, perRelaxation, given } = areas.get(areaId)!.report;
      if (isGiven) return given.constant;
      return perRelaxation ? constant.map((value, k) => value + (relaxation - 1) * perRelaxation[k]!) : constant;
    });
    for (const [a, { places }] of parts.entries()) {
      for (const [j, place] of places.entries()) links[place]! -= constants[a]![j]!;
    }
    this.factor.solve(links);
    const unlimited = this.rowsOf(links);
    const prices = new Float64Array(limits.count);
    const nameOf = (areaId: string, { row }: AreaRow) => `${areaId} ${row}`;
    for (const [a, { areaId, places, rows, firstRow }] of parts.entries()) {
      for (const [k, row] of rows.entries()) {
        unlimited[firstRow + k]! += constants[a]![places.length + k]!;
        prices[firstRow + k] = multipliers.get(nameOf(areaId, row)) ?? 0;
      }
    }
    solveLimits(limits, unlimited, prices, new Float64Array(limits.count), ROW_TOLERANCE);
    for (const [i, price] of prices.entries()) {
      if (price === 0) continue;
      this.column(i);
      const move = this.moves.get(i)!;
      for (let k = 0; k < size; k++) links[k]! += price * move[k]!;
    }
    const inputs = new Map<string, number[]>();
    for (const { areaId, places, rows, firstRow } of parts) {
      const own = rows.map((row, k) => {
        const price = prices[firstRow + k]!;
        multipliers.set(nameOf(areaId, row), price);
        return price;
      });
      inputs.set(areaId, [...places.map((place) => links[place]!), ...own]);
    }
    return inputs;
  }
}
