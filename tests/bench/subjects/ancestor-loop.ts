/**
 * The ancestor's coordination, written naively: in every round one linear programme per service-transformer agent, then one
 * of the whole area, each built anew (dec-ancestor study 1.2 and 1.3). Its index mistake, its bases and its idle regulators
 * are left out: both sides have the same linear model, so that only the way of coordinating differs.
 *
 * `exchange`: agents find their least alpha, one for all behind a transformer, at the port voltages that they were told (the mean of
 *   all so far, of the last five from the sixth round on) and send what flows; the area, which may curtail net injections
 *   (weight 10) and its own PV (weight 1), sends voltages. That is v0.1; its two levels solve different problems, and what it
 *   ends with is no optimum.
 * `halving`: one fraction for all is halved; of each pair of rounds the first tells the area what flows, the second tells agents
 *   their voltages; programmes are power flows with alpha pinned, as on the ancestor's branch `bisection`. Thirty rounds are
 *   fifteen halvings, which end at the optimum of equal alpha.
 */
import { TripletList } from '../../../grid/math/index.js';
import {
  type CurtailableUnit,
  type LinearNetwork,
  linearFeeder,
  localPower,
  nodeLimits,
  splitForStar,
} from '../../../grid/optim/index.js';
import type { AncestorJob } from '../job.js';
import { collect, timed } from './collector.js';
import { caseOf } from './coordination-case.js';
import { type LinearProgramme, type LinearSolver, linearSolver } from './linear-programme.js';

/** Power that a fraction takes from nodes, W and var drawn per unit of it, and its cost. */
interface Fraction {
  readonly nodes: readonly number[];
  readonly drawnW: readonly number[];
  readonly drawnVar: readonly number[];
  readonly cost: number;
}

/** A network, what is drawn in it without any curtailment, and what may be curtailed. */
interface Level {
  readonly network: LinearNetwork;
  readonly drawnW: Float64Array;
  readonly drawnVar: Float64Array;
  readonly fractions: readonly Fraction[];
}

/** What a programme says. */
interface LevelAnswer {
  readonly fractions: Float64Array;
  readonly flowW: Float64Array;
  readonly flowVar: Float64Array;
  readonly voltageSquaredPu: Float64Array;
}

/** Units of power and of squared voltage in the programmes. */
const POWER_W = 5000;
const VOLTAGE = 3e-3;
/** Limits while alpha is pinned: the ancestor's 1.5 pu. */
const WIDE = { minPu: 0, maxPu: 1.5 };
/** Rounds after which the mean is of the last five, and port voltage above which alphas behind a transformer part. */
const FIRST_MEANS = 5;

/** The programme of a level: fractions, then P, Q and v of every node below the roots. */
function levelProgramme(
  { network, drawnW, drawnVar, fractions }: Level,
  rootVoltage: Float64Array,
  limits: { readonly minPu: number; readonly maxPu: number },
  pinned: number | undefined,
): LinearProgramme {
  const roots = network.rootCount;
  const inner = network.nodes.length - roots;
  const f = fractions.length;
  const [atP, atQ, atV] = [f - roots, f + inner - roots, f + 2 * inner - roots];
  const [rowP, rowQ, rowV] = [-roots, inner - roots, 2 * inner - roots];
  const a = new TripletList();
  const b = new Float64Array(3 * inner);
  for (let i = roots; i < network.nodes.length; i++) {
    a.add(rowP + i, atP + i, 1);
    a.add(rowQ + i, atQ + i, 1);
    a.add(rowV + i, atV + i, 1);
    b[rowP + i] = (drawnW[i]! + network.shuntW[i]!) / POWER_W;
    b[rowQ + i] = (drawnVar[i]! + network.shuntVar[i]!) / POWER_W;
  }
  fractions.forEach(({ nodes, drawnW: w, drawnVar: v }, g) => {
    nodes.forEach((node, k) => {
      if (node < roots) return;
      a.add(rowP + node, g, -w[k]! / POWER_W);
      a.add(rowQ + node, g, -v[k]! / POWER_W);
    });
  });
  for (const { parents, children, gain, dropP, dropQ, shareRe, shareIm } of network.branches) {
    const count = children.length;
    parents.forEach((parent, i) => {
      children.forEach((child, j) => {
        const re = shareRe[i * count + j]!;
        const im = shareIm[i * count + j]!;
        const g = gain[j * parents.length + i]!;
        if (parent < roots) b[rowV + child]! += (g * rootVoltage[parent]!) / VOLTAGE;
        else {
          a.add(rowP + parent, atP + child, -re);
          a.add(rowP + parent, atQ + child, im);
          a.add(rowQ + parent, atQ + child, -re);
          a.add(rowQ + parent, atP + child, -im);
          a.add(rowV + child, atV + parent, -g);
        }
      });
    });
    children.forEach((child, i) => {
      children.forEach((other, j) => {
        a.add(rowV + child, atP + other, (dropP[i * count + j]! * POWER_W) / VOLTAGE);
        a.add(rowV + child, atQ + other, (dropQ[i * count + j]! * POWER_W) / VOLTAGE);
      });
    });
  }
  const size = f + 3 * inner;
  const lower = new Float64Array(size).fill(-Infinity).fill(pinned ?? 0, 0, f);
  const upper = new Float64Array(size).fill(Infinity).fill(pinned ?? 1, 0, f);
  const { lowerSquaredPu, upperSquaredPu } = nodeLimits(network, limits);
  for (let i = roots; i < network.nodes.length; i++) {
    lower[atV + i] = lowerSquaredPu[i]! / VOLTAGE;
    upper[atV + i] = upperSquaredPu[i]! / VOLTAGE;
  }
  const linear = new Float64Array(size);
  fractions.forEach(({ cost }, g) => {
    linear[g] = cost;
  });
  return { linear, equality: a.toMatrix(3 * inner, size), equalityValue: b, lower, upper };
}

function solveLevel(
  level: Level,
  solver: LinearSolver,
  rootVoltage: Float64Array,
  limits: { readonly minPu: number; readonly maxPu: number },
  pinned?: number,
): LevelAnswer {
  const x = solver.solve(levelProgramme(level, rootVoltage, limits, pinned));
  const { network, fractions } = level;
  const roots = network.rootCount;
  const count = network.nodes.length;
  const inner = count - roots;
  const f = fractions.length;
  const all = (at: number, unit: number) => {
    const values = new Float64Array(count);
    for (let i = roots; i < count; i++) values[i] = x[at + i - roots]! * unit;
    return values;
  };
  const flowW = all(f, POWER_W);
  const flowVar = all(f + inner, POWER_W);
  const voltageSquaredPu = all(f + 2 * inner, VOLTAGE);
  voltageSquaredPu.set(rootVoltage);
  // What flows into the roots: their own draw and what their branches carry.
  for (let i = 0; i < roots; i++) {
    flowW[i] = level.drawnW[i]! + network.shuntW[i]!;
    flowVar[i] = level.drawnVar[i]! + network.shuntVar[i]!;
  }
  fractions.forEach(({ nodes, drawnW, drawnVar }, g) => {
    nodes.forEach((node, k) => {
      if (node >= roots) return;
      flowW[node]! += x[g]! * drawnW[k]!;
      flowVar[node]! += x[g]! * drawnVar[k]!;
    });
  });
  for (const { parents, children, shareRe, shareIm } of network.branches) {
    parents.forEach((parent, i) => {
      if (parent >= roots) return;
      children.forEach((child, j) => {
        const re = shareRe[i * children.length + j]!;
        const im = shareIm[i * children.length + j]!;
        flowW[parent]! += re * flowW[child]! - im * flowVar[child]!;
        flowVar[parent]! += re * flowVar[child]! + im * flowW[child]!;
      });
    });
  }
  return { fractions: x.slice(0, f), flowW, flowVar, voltageSquaredPu };
}

/** A level whose units are all there, and one fraction of them all. */
function withUnits(
  network: LinearNetwork,
  power: { readonly drawnW: Float64Array; readonly drawnVar: Float64Array; readonly units: readonly CurtailableUnit[] },
  cost: number,
): Level {
  const drawnW = power.drawnW.slice();
  const drawnVar = power.drawnVar.slice();
  const nodes: number[] = [];
  const takenW: number[] = [];
  const takenVar: number[] = [];
  for (const { availableW, nodes: places, shareRe, shareIm } of power.units) {
    places.forEach((node, k) => {
      nodes.push(node);
      takenW.push(availableW * shareRe[k]!);
      takenVar.push(availableW * shareIm[k]!);
      drawnW[node]! -= availableW * shareRe[k]!;
      drawnVar[node]! -= availableW * shareIm[k]!;
    });
  }
  const fractions = nodes.length > 0 ? [{ nodes, drawnW: takenW, drawnVar: takenVar, cost }] : [];
  return { network, drawnW, drawnVar, fractions };
}

/** Does the job. */
export async function ancestorLoop(job: AncestorJob): Promise<object> {
  const solver = await linearSolver();
  const { feeder, inputs, state, limits } = caseOf({ name: 'flagship' });
  const { primary, services } = splitForStar(feeder);
  const main = linearFeeder(primary.feeder, state);
  const areaPower = localPower(primary.feeder, main, inputs);
  const area = withUnits(main.network, areaPower, 1);
  const areaW = areaPower.units.reduce((sum, unit) => sum + unit.availableW, 0);
  const agents = services.map(({ port, feeder: own }) => {
    const { network, ...model } = linearFeeder(own);
    const power = localPower(own, { network, ...model }, inputs);
    return {
      level: withUnits(network, power, 1),
      availableW: power.units.reduce((sum, unit) => sum + unit.availableW, 0),
      units: power.units.length,
      roots: port.nodes.map((node) => network.nodes.findIndex((root) => root.node === node)),
      nodes: port.nodes.map((node) => main.index.get(`${port.bus} ${node}`)!),
      /** Squared port voltages it was told, newest last. */
      told: [new Float64Array(network.rootCount).fill((state.sourceVoltagePu ?? 1) ** 2)],
      alpha: 0,
      highestSquaredPu: 0,
    };
  });
  const isHalving = job.way === 'halving';
  let programmes = 0;
  let alphaChange = 0;

  /** All agents, then the area; `alpha` pins every fraction. */
  const round = (number: number, alpha?: number): number => {
    const drawnW = area.drawnW.slice();
    const drawnVar = area.drawnVar.slice();
    const injected: Fraction[] = [];
    alphaChange = 0;
    for (const agent of agents) {
      const { told, level, roots, nodes } = agent;
      const recent = isHalving ? told.slice(-1) : number <= FIRST_MEANS + 1 ? told : told.slice(-FIRST_MEANS);
      const voltage = told[0]!.map((_, k) => recent.reduce((sum, one) => sum + Math.sqrt(one[k]!), 0) / recent.length);
      const answer = solveLevel(
        level,
        solver,
        voltage.map((v) => v * v),
        alpha === undefined ? limits : WIDE,
        alpha,
      );
      programmes++;
      const next = answer.fractions[0] ?? 0;
      alphaChange = Math.max(alphaChange, Math.abs(next - agent.alpha));
      agent.alpha = next;
      agent.highestSquaredPu = answer.voltageSquaredPu.reduce(
        (most, v, i) => (i >= level.network.rootCount && level.network.nodes[i]!.bus !== '' ? Math.max(most, v) : most),
        0,
      );
      const w = roots.map((root) => answer.flowW[root]!);
      const v = roots.map((root) => answer.flowVar[root]!);
      nodes.forEach((node, k) => {
        drawnW[node]! += w[k]!;
        drawnVar[node]! += v[k]!;
      });
      // The area may take back a part of the active power that comes in.
      if (!isHalving) injected.push({ nodes, drawnW: w.map((one) => -one), drawnVar: v.map(() => 0), cost: 10 });
    }
    const level = { ...area, drawnW, drawnVar, fractions: [...area.fractions, ...injected] };
    const root = main.network.rootVoltageSquaredPu;
    const answer = solveLevel(level, solver, root, alpha === undefined ? limits : WIDE, alpha);
    programmes++;
    for (const { told, roots, nodes } of agents) {
      const heard = new Float64Array(told[0]!.length);
      roots.forEach((one, k) => {
        heard[one] = answer.voltageSquaredPu[nodes[k]!]!;
      });
      told.push(heard);
    }
    return answer.voltageSquaredPu.reduce(
      (most, v, i) => (i >= main.network.rootCount && main.network.nodes[i]!.bus !== '' ? Math.max(most, v) : most),
      0,
    );
  };

  const all = (): number => {
    if (!isHalving) {
      for (let k = 1; k <= job.rounds; k++) round(k);
      return Number.NaN;
    }
    let [low, high] = [0, 1];
    for (let k = 1; k + 1 <= job.rounds; k += 2) {
      const alpha = (low + high) / 2;
      round(k, alpha);
      const worst = agents.reduce(
        (most, { highestSquaredPu }) => Math.max(most, highestSquaredPu),
        round(k + 1, alpha),
      );
      if (worst > limits.maxPu ** 2) low = alpha;
      else high = alpha;
    }
    return high;
  };
  collect();
  const run = timed(all);
  // The ancestor's area computes what its own PV should do and throws it away.
  const curtailedW = isHalving
    ? run.value * agents.reduce((sum, { availableW }) => sum + availableW, areaW)
    : agents.reduce((sum, { alpha, availableW }) => sum + alpha * availableW, 0);
  return {
    version: `the ancestor's loop, naively, ${solver.name}`,
    ...{ seconds: [run.seconds], cpu: [run.cpu], programmes, curtailedW, rounds: job.rounds, alphaChange },
    greatestAlpha: isHalving ? run.value : Math.max(...agents.map(({ alpha }) => alpha)),
  };
}
