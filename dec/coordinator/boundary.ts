import type { BoundaryAnswer, BoundaryVerification } from '../../bus/index.js';
import type { AgentReply, PortPower, VerifyReply } from '../../grid/optim/index.js';

/** An agent's answer as the star takes it. */
export function boundaryReply(answer: BoundaryAnswer, round: number): AgentReply {
  const { powerW, powerVar, voltageSquaredPu, lowestVoltageSquaredPu, alpha, status } = answer;
  return {
    ...{ round, powerW, powerVar, voltageSquaredPu, status },
    ...(lowestVoltageSquaredPu === undefined ? {} : { lowestVoltageSquaredPu }),
    ...(alpha === undefined ? {} : { alpha }),
  };
}

/** The agent's curtailed fraction over its units; undefined when it has none or tells none. */
export function meanAlpha({ alpha, alphaSum, alphaCount }: BoundaryAnswer): number | undefined {
  if (alphaSum !== undefined && alphaCount !== undefined && alphaCount > 0) return alphaSum / alphaCount;
  return alpha;
}

/** Whether an answer has a number for every port node. */
export function isUsable(answer: BoundaryAnswer, nodes: number): boolean {
  const { powerW, powerVar, voltageSquaredPu, lowestVoltageSquaredPu } = answer;
  if (lowestVoltageSquaredPu !== undefined && !isVector(lowestVoltageSquaredPu, nodes)) return false;
  // Modes without a voltage of the agents' own leave it out.
  if (voltageSquaredPu.length > 0 && !isVector(voltageSquaredPu, nodes)) return false;
  return isVector(powerW, nodes) && isVector(powerVar, nodes);
}

/** Whether a verification has a number for every port node. */
export function isVerification(
  reply: BoundaryVerification,
  nodes: number,
): reply is BoundaryVerification & VerifyReply {
  return isVector(reply.powerW, nodes) && isVector(reply.powerVar, nodes);
}

/** Largest change of active or reactive power, W or var; infinite against nothing. */
export function largestChange(before: PortPower | undefined, after: PortPower): number {
  if (before === undefined) return Number.POSITIVE_INFINITY;
  const powers = (of: PortPower): readonly number[] => [...of.powerW, ...of.powerVar];
  const old = powers(before);
  return powers(after).reduce((most, power, k) => Math.max(most, Math.abs(power - old[k]!)), 0);
}

function isVector(values: readonly number[], length: number): boolean {
  return values.length === length && values.every(Number.isFinite);
}
