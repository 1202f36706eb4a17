/*
 * The induction machine by symmetrical components.
 *
 * Solved: its admittance at a slip, stator in series with the magnetising branch beside the rotor, R / s + jX; the slip at which
 * the positive sequence takes a given power. The negative sequence has the slip 2 - s, the zero sequence no path.
 * Steps for the slip: with w = s / R the power is a ratio of two quadratics in w, which leaves one equation c w^2 + b w + a = 0;
 * its smaller root is the stable one. Where the equation has no root the power is beyond the pull-out: the largest slip stands.
 * The matrix of the three phases is not symmetric, because the two sequences differ. The half-sum of both sequences stands in
 * the admittance matrix, the rest are currents, see grid/flow/induction.ts.
 * Source: OpenDSS, IndMach012.pas, checked with dss-python 0.15.7.
 */
import { ComplexDense } from '../math/index.js';
import type { InductionMachine, PhaseShare } from './element.js';
import { conductorsOf, type Primitive } from './primitive.js';

type Complex = readonly [re: number, im: number];

const times = ([a, b]: Complex, [c, d]: Complex): Complex => [a * c - b * d, a * d + b * c];
const plus = ([a, b]: Complex, [c, d]: Complex): Complex => [a + c, b + d];
const over = ([a, b]: Complex, [c, d]: Complex): Complex => {
  const square = c * c + d * d;
  return [(a * c + b * d) / square, (b * c - a * d) / square];
};
const size2 = ([a, b]: Complex): number => a * a + b * b;
/** Re x conj(y). */
const inner = ([a, b]: Complex, [c, d]: Complex): number => a * c + b * d;

/** Stator, magnetising branch and rotor, ohm. */
function impedances(machine: InductionMachine): { stator: Complex; shunt: Complex; rotorR: number; rotorX: number } {
  const base = machine.ratedVoltageV ** 2 / machine.ratedPowerVA;
  return {
    stator: [machine.statorRPu * base, machine.statorXPu * base],
    shunt: [0, machine.magnetisingXPu * base],
    rotorR: machine.rotorRPu * base,
    rotorX: machine.rotorXPu * base,
  };
}

/** Admittance of one sequence at its slip, S: (A + u) / (D + E u) with u = R / s, here over u so that s = 0 is open. */
export function sequenceAdmittance(machine: InductionMachine, slip: number): Complex {
  const { stator, shunt, rotorR, rotorX } = impedances(machine);
  const w = slip / rotorR;
  const e = plus(stator, shunt);
  const far = plus(times(stator, shunt), times(e, [0, rotorX]));
  return over(plus([1, 0], times(plus(shunt, [0, rotorX]), [w, 0])), plus(e, times(far, [w, 0])));
}

/**
 * The slip of a machine at a positive-sequence voltage.
 *
 * @param squareV - square of that voltage, line to neutral, V^2
 */
export function slipAt(machine: InductionMachine, squareV: number): number {
  if (machine.isSlipFixed) return machine.slip;
  const { stator, shunt, rotorR, rotorX } = impedances(machine);
  const most = Math.sign(machine.powerW) * machine.maxSlip;
  if (!(squareV > 0)) return most;
  const conductance = machine.powerW / 3 / squareV;
  const e = plus(stator, shunt);
  const d = plus(times(stator, shunt), times(e, [0, rotorX]));
  const rotor = plus(shunt, [0, rotorX]);
  const a = e[0] - conductance * size2(e);
  const b = inner(rotor, e) + d[0] - 2 * conductance * inner(d, e);
  const c = inner(rotor, d) - conductance * size2(d);
  const discriminant = b * b - 4 * a * c;
  if (!(discriminant >= 0)) return most;
  const slip = (rotorR * -2 * a) / (b + (b < 0 ? -1 : 1) * Math.sqrt(discriminant));
  return Math.max(-machine.maxSlip, Math.min(machine.maxSlip, slip));
}

/** Slip at rated voltage. */
function ratedSlip(machine: InductionMachine): number {
  return slipAt(machine, machine.ratedVoltageV ** 2 / 3);
}

/** The half-sum of the admittances of both sequences at rated voltage, between the three phases, nothing to ground. */
export function inductionPrimitive(machine: InductionMachine): Primitive {
  const slip = ratedSlip(machine);
  const [re, im] = plus(sequenceAdmittance(machine, slip), sequenceAdmittance(machine, 2 - slip));
  const y = new ComplexDense(3);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const part = i === j ? 1 / 3 : -1 / 6;
      y.add(i, j, part * re, part * im);
    }
  }
  return { conductors: conductorsOf(machine.terminal, 1), y };
}

/** What the machine takes at rated voltage, as three shares to ground: how models of constant power see it. */
export function ratedShares(machine: InductionMachine): PhaseShare[] {
  const ratedVoltageV = machine.ratedVoltageV / Math.sqrt(3);
  const [g, b] = sequenceAdmittance(machine, ratedSlip(machine));
  return machine.terminal.nodes.map((node) => ({
    ...{ node, otherNode: 0, ratedVoltageV },
    ...{ powerW: g * ratedVoltageV ** 2, powerVar: -b * ratedVoltageV ** 2 },
  }));
}
