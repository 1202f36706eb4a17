import { z } from 'zod';
import type { Immutable } from './message.js';

/*
 * What the feeder's coordinator and the areas between it and its agents say to one another (docs/algorithms/admm.md). Power is
 * scaled by the power unit of the settings, squared voltage is its distance from 1 in voltage units, except in the parts, which
 * are W, var and pu squared.
 */

const numbers = z.array(z.number());
const indices = z.array(z.int().nonnegative());
const limits = z.array(z.number().nullable());

/** An area's part of the primary: nodes by number, those it hangs on first. */
export const areaPart = z.object({
  areaId: z.string().min(1),
  /** Whether it hangs on another area. */
  hasLink: z.boolean(),
  /** Nodes at which others hang. */
  linksBelow: z.array(indices),
  rootCount: z.int().nonnegative(),
  rootVoltageSquaredPu: numbers,
  branches: z.array(
    z.object({
      parents: indices,
      children: indices,
      gain: numbers,
      dropP: numbers,
      dropQ: numbers,
      shareRe: numbers,
      shareIm: numbers,
    }),
  ),
  shuntW: numbers,
  shuntVar: numbers,
  drawnW: numbers,
  drawnVar: numbers,
  lowerSquaredPu: limits,
  upperSquaredPu: limits,
  correctionSquaredPu: numbers,
  /** PV of the primary itself, and by group what its curtailment costs. */
  units: z.array(
    z.object({
      id: z.string(),
      availableW: z.number().nonnegative(),
      nodes: indices,
      shareRe: numbers,
      shareIm: numbers,
      group: z.int().nonnegative(),
    }),
  ),
  cost: z.object({ linear: numbers, quadratic: numbers }),
  ceiling: numbers.exactOptional(),
  curve: z.object({ weightKw: numbers, gamma: z.number().positive() }).exactOptional(),
  agents: z.array(
    z.object({
      agentId: z.string(),
      portNodes: indices,
      /** Of an agent that takes no part. */
      held: z.object({ powerW: numbers, powerVar: numbers, highestVoltageSquaredPu: numbers }).exactOptional(),
    }),
  ),
});

/** What happens at an area's links and what its limits cost; over-relaxation and penalty of the round that follows. */
const directive = z.object({
  round: z.int().nonnegative(),
  inputs: numbers,
  relaxation: z.number().min(0).max(2),
  rho: z.number().positive(),
  isWarm: z.boolean().exactOptional(),
});

/** One area's part of a round. */
export const areaQuestion = z.object({
  /** Finish the last round with this first. */
  directive: directive.exactOptional(),
  /** The problem that the round is of, where the area may not know it. */
  part: areaPart.exactOptional(),
  /** The first of an interval: nothing is kept of the one before. */
  isNew: z.boolean().default(false),
  /** With a part: mark of the area's last response that is known. */
  knows: z.string().exactOptional(),
  /** Tell the response and all limits again: a report has not come. */
  retell: z.boolean().exactOptional(),
});

const norm = z.number().nonnegative();

/** How an area's best answer moves with what happens at its links. */
export const areaReport = z.object({
  /** Agents that answered in this round. */
  answered: z.int().nonnegative(),
  isOpening: z.boolean(),
  /** Upper triangle by rows; absent when it is known by its mark. */
  response: numbers.exactOptional(),
  mark: z.string().exactOptional(),
  constant: numbers,
  perRelaxation: numbers.exactOptional(),
  rows: z.array(
    z.object({
      row: z.int().nonnegative(),
      lower: z.number().nullable(),
      upper: z.number().nullable(),
      cap: z.number().nullable(),
    }),
  ),
  sums: z
    .object({ primal: norm, dual: norm, sizeX: norm, sizeZ: norm, sizeU: norm, count: z.int().nonnegative() })
    .exactOptional(),
  powerChangeW: norm,
  alphaChange: norm,
  /** Agents whose answer did not come. */
  missing: z.array(z.string()),
  /** Of an opening: the area's network bears what agents would do alone; how far that has moved. */
  isBorne: z.boolean().exactOptional(),
  drift: z.object({ moved: norm, size: norm, rho: z.number().positive() }).exactOptional(),
  isAwaiting: z.boolean(),
});

/** What an area came to: its agents' ports, and fractions of the primary's own PV in it. */
export const areaOutcome = z.object({
  agents: z.record(
    z.string(),
    z.object({
      powerW: numbers,
      powerVar: numbers,
      voltageSquaredPu: numbers,
      alphaSum: z.number().exactOptional(),
      alphaCount: z.number().exactOptional(),
      /** Its own limits cannot hold. */
      isInfeasible: z.boolean().exactOptional(),
    }),
  ),
  own: z.record(z.string(), z.number().min(0).max(1)),
});

/** One area's part of a round. */
export type AreaQuestion = Immutable<z.infer<typeof areaQuestion>>;
/** One area's answer in a round. */
export type AreaAnswer = Immutable<z.infer<typeof areaReport>>;
/** What an area came to. */
export type AreaOutcome = Immutable<z.infer<typeof areaOutcome>>;

const link = { round: 3, inputs: [4.1, 0, 0, 0.2, -1.3, 0.4], relaxation: 1.6, rho: 0.3 };

/** Examples of the four messages' contents. */
export const areaExamples = {
  question: { directive: link },
  answer: {
    answered: 12,
    isOpening: false,
    mark: 'fnpdaLR25qyyuWBF',
    constant: [0.01, -1.31, 0.42],
    perRelaxation: [0, -0.02, 0],
    rows: [],
    sums: { primal: 0.02, dual: 0.01, sizeX: 31, sizeZ: 31, sizeU: 2.5, count: 36 },
    powerChangeW: 140,
    alphaChange: 0.004,
    missing: [],
    isAwaiting: false,
  },
  outcome: {
    agents: {
      xf_1a: { powerW: [-9050], powerVar: [305], voltageSquaredPu: [1.0985], alphaSum: 0.4, alphaCount: 2 },
    },
    own: {},
  },
};
