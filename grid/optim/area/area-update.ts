import { type CoordinatorMemory, coordinatorMemory, meetNewProblem } from '../coordinator-memory.js';
import {
  coordinatorRequests,
  type Intake,
  movePrices,
  type RoundSums,
  relaxedAnswers,
  takeReplies,
  WARM_SHARE,
} from '../coordinator-update.js';
import { evaluate } from '../linear-network.js';
import { scalePrices } from '../pacing.js';
import type { AgentReply, AgentRequest } from '../star.js';
import { modelOfCurve } from '../star-cost.js';
import type { StarSettings } from '../star-settings.js';
import type { AreaDirective, AreaReport } from './area.js';
import { AreaSolver } from './area-solver.js';
import type { AreaPart } from './area-split.js';

/*
 * An area's half of the second level: between its agents, to whom it is the coordinator, and the feeder.
 *
 * Opening: agents say what they would do alone; the area reports that as given, hears what voltages it leads to, and knows
 *          then whether its network bears it and which limits to tell. Where all areas bear it, that is the end.
 * A round: 1. its agents answer it as they would the coordinator; 2. it reports what the projection on its network would be
 *          as an affine function of what happens at its links (area-solver.ts); 3. the feeder says what happens there;
 *          4. it finishes the projection, moves its agents' prices and asks them anew.
 * Limits: those that bind must be known to the feeder, because their prices depend on other areas. Those that are broken or
 *          near are told as they are met and stay told; a round after which one was broken that was not known is no rest.
 * Nothing of an agent leaves: reports have the width of the links.
 * Next interval: where what agents would do alone has hardly moved, and the network does not bear it, copies and prices of the
 *          last one are the start, as with the star; the feeder judges that over all areas.
 */

/** What an area remembers between rounds. */
export interface AreaMemory {
  readonly star: CoordinatorMemory;
  /** Rows the feeder knows of, in the order they were told. */
  readonly known: number[];
  solver: AreaSolver | undefined;
  /** Rows whose limits the feeder has been told for this problem. */
  toldRows: number;
  /** Whether the last report's response is still that of the solver. */
  isResponseTold: boolean;
  /** `asked`: the opening was answered and waits for its voltages; `opened`: these are known, agents need not be asked again. */
  phase: 'opening' | 'asked' | 'opened' | 'rounds';
  isBorne: boolean;
  /** What an interval before has left, whether it is a start for this one, and what that is judged by. */
  readonly kept: AreaLegacy | undefined;
  isWarm: boolean;
  drift: AreaReport['drift'];
  /** Rows that had a price in the last directive: they bind. */
  pricedRows: readonly number[];
  sums: RoundSums | undefined;
  intake: Intake;
  ownAlphaChange: number;
  isBroken: boolean;
}

/** What an area keeps of an interval for the next one. */
export type AreaLegacy = Pick<CoordinatorMemory, 'rho' | 'z' | 'price' | 'ownAlpha' | 'uncurtailed'> &
  Pick<AreaMemory, 'pricedRows'>;

/** What the next interval of the same area may begin with; undefined where no round of this one was finished. */
export function areaLegacy({ star, phase, pricedRows }: AreaMemory): AreaLegacy | undefined {
  return phase === 'rounds' ? { ...star, pricedRows } : undefined;
}

/**
 * Memory of a cold start, or of the same area's last problem.
 * @param kept - what the interval before has left
 */
export function areaMemory(
  { data }: AreaPart,
  settings: StarSettings,
  before?: AreaMemory,
  kept?: AreaLegacy,
): AreaMemory {
  const star = before?.star ?? coordinatorMemory(data, settings);
  meetNewProblem(star);
  return {
    star,
    known: before?.known ?? [],
    solver: undefined,
    toldRows: 0,
    isResponseTold: false,
    phase: star.isOpening ? 'opening' : 'rounds',
    isBorne: false,
    kept,
    isWarm: false,
    drift: undefined,
    pricedRows: before?.pricedRows ?? [],
    sums: undefined,
    intake: { missing: [], powerChangeW: 0, alphaChange: 0, isAwaiting: false },
    ownAlphaChange: 0,
    isBroken: false,
  };
}

/** The questions to the area's agents. */
export function areaRequests(
  { data }: AreaPart,
  { star, phase }: AreaMemory,
  settings: StarSettings,
): Map<string, AgentRequest> {
  return phase === 'asked' || phase === 'opened' ? new Map() : coordinatorRequests(data, star, settings);
}

/** Takes the answers of the area's agents; what to report of them. */
export function areaReport(
  area: AreaPart,
  memory: AreaMemory,
  replies: ReadonlyMap<string, AgentReply>,
  settings: StarSettings,
): AreaReport {
  const { data, areaId } = area;
  const { star, known } = memory;
  if (memory.phase === 'opening' || memory.phase === 'rounds') {
    star.isOpening = false;
    memory.intake = takeReplies(data, star, replies, settings);
  }
  if (memory.phase === 'opening') {
    memory.phase = 'asked';
    memory.drift = driftOf(memory);
    star.uncurtailed = star.answer.power.slice();
  }
  star.round++;
  const { missing, powerChangeW, alphaChange, isAwaiting } = memory.intake;
  const common = {
    areaId,
    round: star.round,
    powerChangeW,
    alphaChange: Math.max(alphaChange, memory.ownAlphaChange),
    missing,
    isAwaiting: isAwaiting || memory.isBroken,
  };
  if (memory.phase === 'asked') {
    const given = givenOf(area, memory, settings, true);
    return { ...common, ...given, given, rows: [], ...(memory.drift ? { drift: memory.drift } : {}) };
  }
  // Views on voltages came with the answers: a factor made without them is of another problem.
  const isStale = star.solver === undefined || memory.solver?.rho !== star.rho;
  if (!memory.solver || isStale || (data.curve && data.groupCount > 0)) {
    const own = data.curve ? { ...data, cost: modelOfCurve(data.curve, star.ownAlpha) } : data;
    memory.solver = new AreaSolver({ ...area, data: own }, settings, star.rho, star.hasVoltage.slice(), known);
    memory.isResponseTold = false;
  }
  const { solver } = memory;
  star.solver = solver;
  const at = (relaxation: number) =>
    solver.constants(relaxedAnswers(star, relaxation).relaxed, star.price, star.ownAlpha);
  const constant = at(1);
  // The right-hand side is affine in the relaxation, and with it what the channels are.
  const perRelaxation = memory.phase === 'opened' ? undefined : at(2).map((value, k) => value - constant[k]!);
  const isNew = !memory.isResponseTold;
  const rows = known.slice(memory.toldRows).map((row) => solver.rowLimits(row));
  memory.toldRows = known.length;
  memory.isResponseTold = true;
  return {
    ...common,
    ...(isNew ? { response: solver.response() } : {}),
    constant,
    ...(perRelaxation ? { perRelaxation } : {}),
    given: givenOf(area, memory, settings, isNew),
    rows,
    ...(memory.sums ? { sums: memory.sums } : {}),
    ...(memory.phase === 'opened' ? { isBorne: memory.isBorne } : {}),
  };
}

/** Finishes the projection with what the feeder says, and moves the prices. */
export function takeDirective(
  area: AreaPart,
  memory: AreaMemory,
  directive: AreaDirective,
  settings: StarSettings,
): void {
  const { data } = area;
  const { star, solver } = memory;
  if (memory.phase === 'asked') {
    hearVoltages(area, memory, directive.inputs, settings);
    memory.phase = 'opened';
    memory.isWarm = directive.isWarm === true;
    if (memory.isWarm && !memory.isBorne) goOn(memory);
    return;
  }
  if (memory.phase === 'opened' && memory.isWarm) {
    // What this area bears others do not.
    goOn(memory);
    return;
  }
  if (!solver) return;
  // The opening answers are taken as they are.
  const step = relaxedAnswers(star, memory.phase === 'opened' ? 1 : directive.relaxation);
  memory.phase = 'rounds';
  const ownBefore = star.ownAlpha.slice();
  const { found, isBroken } = solver.finish(step.relaxed, star.price, directive.inputs, star.z, star.ownAlpha);
  memory.sums = movePrices(data, star, step, settings);
  memory.ownAlphaChange = star.ownAlpha.reduce((most, own, g) => Math.max(most, Math.abs(own - ownBefore[g]!)), 0);
  memory.isBroken = isBroken;
  const links = directive.inputs.length - memory.toldRows;
  memory.pricedRows = memory.known.filter((_, k) => k < memory.toldRows && directive.inputs[links + k] !== 0);
  if (found.length > 0) {
    solver.tell(found);
    memory.isResponseTold = false;
  }
  if (directive.rho !== star.rho) {
    scalePrices(star.price, directive.rho / star.rho);
    star.rho = directive.rho;
  }
}

/** By how much what agents would do alone has moved since the interval before; undefined where none is known. */
function driftOf({ star, kept }: AreaMemory): AreaReport['drift'] {
  const before = kept?.uncurtailed;
  const now = star.answer.power;
  if (before?.length !== now.length || kept?.ownAlpha.length !== star.ownAlpha.length) return undefined;
  let moved = 0;
  let size = 0;
  for (let k = 0; k < now.length; k++) {
    moved += (now[k]! - before[k]!) ** 2;
    size += now[k]! ** 2;
  }
  return { moved, size, rho: kept.rho };
}

/** The penalty to go on with where openings resemble those of the interval before; undefined where they do not. */
export function warmRho(drifts: readonly AreaReport['drift'][]): number | undefined {
  let moved = 0;
  let size = 0;
  for (const drift of drifts) {
    if (drift === undefined) return undefined;
    moved += drift.moved;
    size += drift.size;
  }
  return moved <= WARM_SHARE ** 2 * size ? drifts[0]?.rho : undefined;
}

/** Begins the rounds with what the interval before has left. */
function goOn(memory: AreaMemory): void {
  const { star, kept, known } = memory;
  if (kept === undefined) return;
  star.rho = kept.rho;
  for (const block of ['power', 'reactive', 'voltage'] as const) {
    star.z[block].set(kept.z[block]);
    star.price[block].set(kept.price[block]);
  }
  star.ownAlpha.set(kept.ownAlpha);
  star.solver = undefined;
  memory.solver = undefined;
  // Those that bound are those that will bind; what the opening would break is not near.
  known.splice(0, known.length, ...kept.pricedRows);
  memory.toldRows = 0;
  memory.phase = 'rounds';
}

/**
 * Limits told after an opening at most, in those of a round, and how near to it a voltage must be, pu squared: less
 * curtailment elsewhere, or more on another phase, may break those that are near.
 */
const OPENING_SHARE = 2;
const OPENING_NEAR_SQUARED_PU = 0.02;

/** Takes the voltages that the opening answers lead to: views, whether they are borne, limits to tell. */
function hearVoltages(area: AreaPart, memory: AreaMemory, inputs: readonly number[], settings: StarSettings): void {
  const { data } = area;
  const { star } = memory;
  const { network } = data;
  const { drawnW, drawnVar } = drawnBy(area, star, settings);
  const root = Float64Array.from(data.rootVoltageSquaredPu);
  let at = 0;
  if (area.hasLink) {
    for (let j = 0; j < network.rootCount; j++) root[j]! += inputs[j]! * settings.voltageUnitSquaredPu;
    at += 3 * network.rootCount;
  }
  for (const nodes of area.linksBelow) {
    for (const [k, node] of nodes.entries()) {
      drawnW[node]! += inputs[at + k]! * settings.powerUnitW;
      drawnVar[node]! += inputs[at + nodes.length + k]! * settings.powerUnitW;
    }
    at += 3 * nodes.length;
  }
  const v = evaluate(network, drawnW, drawnVar, undefined, root).voltageSquaredPu;
  const near: { row: number; by: number }[] = [];
  for (let i = network.rootCount; i < network.nodes.length; i++) {
    const own = v[i]! + data.correctionSquaredPu[i]!;
    const by = Math.max(own - data.upperSquaredPu[i]!, data.lowerSquaredPu[i]! - own);
    if (by > -OPENING_NEAR_SQUARED_PU) near.push({ row: i, by });
  }
  memory.isBorne = near.every(({ by }) => by <= 0);
  let k = 0;
  for (const { portNodes } of data.agents) {
    for (const node of portNodes) {
      const voltage = (v[node]! + data.correctionSquaredPu[node]! - 1) / settings.voltageUnitSquaredPu;
      if (star.hasVoltage[k] && voltage > star.answer.voltage[k]!) memory.isBorne = false;
      star.answer.voltage[k] = voltage;
      k++;
    }
  }
  near.sort((a, b) => b.by - a.by || a.row - b.row);
  const rows = near.slice(0, OPENING_SHARE * settings.areaRows).map(({ row }) => row);
  memory.known.push(...rows.filter((row) => !memory.known.includes(row)));
}

/** Channels at the area's links when its agents stay at their last answers: constants, and how they move with inputs. */
function givenOf(
  area: AreaPart,
  { star, known }: AreaMemory,
  settings: StarSettings,
  isNew: boolean,
): AreaReport['given'] {
  const { data } = area;
  const { network } = data;
  const unit = settings.powerUnitW;
  const { drawnW, drawnVar } = drawnBy(area, star, settings);
  const atRest = channelsOf(area, known, star.ownAlpha, settings, drawnW, drawnVar, data.rootVoltageSquaredPu);
  if (!isNew) return { constant: atRest };
  const count = atRest.length;
  const response = new Array<number>(count * count).fill(0);
  /** What one input moves: outputs that are not prices, mirrored, because prices move what they are prices of. */
  const probe = (channel: number, w: number, node: number) => {
    const shiftedW = drawnW.slice();
    const shiftedVar = drawnVar.slice();
    const root = Float64Array.from(data.rootVoltageSquaredPu);
    if (w === 0) root[node]! += settings.voltageUnitSquaredPu;
    else if (w === 1) shiftedW[node]! += unit;
    else shiftedVar[node]! += unit;
    const moved = channelsOf(area, known, star.ownAlpha, settings, shiftedW, shiftedVar, root);
    moved.forEach((value, k) => {
      const change = value - atRest[k]!;
      if (change === 0) return;
      response[k * count + channel] = change;
      response[channel * count + k] = change;
    });
  };
  let channel = 0;
  if (area.hasLink) {
    for (let j = 0; j < network.rootCount; j++) probe(channel + j, 0, j);
    channel += 3 * network.rootCount;
  }
  for (const nodes of area.linksBelow) {
    nodes.forEach((node, k) => {
      probe(channel + k, 1, node);
      probe(channel + nodes.length + k, 2, node);
    });
    channel += 3 * nodes.length;
  }
  return { response, constant: atRest };
}

/** Power drawn on the area's network with its agents at their last answers and its own units at their fractions. */
function drawnBy({ data }: AreaPart, star: CoordinatorMemory, { powerUnitW: unit }: StarSettings) {
  const drawnW = data.drawnW.slice();
  const drawnVar = data.drawnVar.slice();
  for (const { nodes, availableW, shareRe, shareIm, group } of data.units) {
    nodes.forEach((node, k) => {
      const output = (1 - star.ownAlpha[group]!) * availableW;
      drawnW[node]! -= output * shareRe[k]!;
      drawnVar[node]! -= output * shareIm[k]!;
    });
  }
  let at = 0;
  for (const { portNodes } of data.agents) {
    for (const node of portNodes) {
      drawnW[node]! += star.answer.power[at]! * unit;
      drawnVar[node]! += star.answer.reactive[at]! * unit;
      at++;
    }
  }
  return { drawnW, drawnVar };
}

/** Powers, voltages and rows at drawn powers and root voltages; zero where a channel answers a price. */
function channelsOf(
  { data, hasLink, linksBelow }: AreaPart,
  known: readonly number[],
  ownAlpha: Float64Array,
  settings: StarSettings,
  drawnW: Float64Array,
  drawnVar: Float64Array,
  root: Float64Array,
): number[] {
  const { network } = data;
  const state = evaluate(network, drawnW, drawnVar, undefined, root);
  const voltage = (node: number) => (state.voltageSquaredPu[node]! - 1) / settings.voltageUnitSquaredPu;
  const channels: number[] = [];
  if (hasLink) {
    for (let j = 0; j < network.rootCount; j++) channels.push(0);
    for (let j = 0; j < network.rootCount; j++) channels.push(state.flowW[j]! / settings.powerUnitW);
    for (let j = 0; j < network.rootCount; j++) channels.push(state.flowVar[j]! / settings.powerUnitW);
  }
  for (const nodes of linksBelow) {
    for (let k = 0; k < 2 * nodes.length; k++) channels.push(0);
    for (const node of nodes) channels.push(voltage(node));
  }
  const n = network.nodes.length;
  for (const row of known) channels.push(row < n ? voltage(row) : ownAlpha[row - n]!);
  return channels;
}
