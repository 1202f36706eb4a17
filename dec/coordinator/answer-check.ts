import { z } from 'zod';
import type { AgentOpening, AreaOutcome, BoundaryAnswer, BoundaryVerification, DerSetpoint } from '../../bus/index.js';

/** Largest power at one port node or of one DER that can be meant, W or var. */
const POWER_MAX_W = 1e9;
/** Squares of port voltages that can be meant while duals still grow: an unlimited agent answers the target itself, pu. */
const VOLTAGE_SQUARED_MIN_PU = -1e6;
const VOLTAGE_SQUARED_MAX_PU = 1e6;
/** Largest voltage an agent's own AC check can have found, pu. */
const VOLTAGE_MAX_PU = 10;

/** Largest share of a unit's power at one port node, and largest weight, that can be meant. */
const SHARE_MAX = 100;
const FACTOR_MAX = 1e6;
/** Largest part of a terminal's squared voltage that can be meant, pu squared. */
const TERMINAL_SQUARED_MAX_PU = 100;

const ported = z.object({ model: z.object({ port: z.object({ nodes: z.array(z.number()) }) }) });

/** Number of port nodes of an assignment; undefined when it names no port. */
export function portNodesOf(assignment: unknown): number | undefined {
  return ported.safeParse(assignment).data?.model.port.nodes.length;
}

/**
 * Why an agent's boundary quantities cannot be true; undefined when they can.
 * @param nodes - port nodes of the agent; the length is not checked without it
 */
export function boundaryFault(answer: BoundaryAnswer, nodes: number | undefined): string | undefined {
  const { voltageSquaredPu, lowestVoltageSquaredPu: lowest, alpha = 0, alphaSum = 0, alphaCount = 0 } = answer;
  const voltageFault = (name: string, values: readonly number[]) =>
    vectorFault(name, values, nodes, VOLTAGE_SQUARED_MIN_PU, VOLTAGE_SQUARED_MAX_PU);
  return (
    powerFault(answer, nodes) ??
    (voltageSquaredPu.length === 0 ? undefined : voltageFault('voltageSquaredPu', voltageSquaredPu)) ??
    (lowest === undefined ? undefined : voltageFault('lowestVoltageSquaredPu', lowest)) ??
    ([alpha, alphaSum, alphaCount].every(Number.isFinite) ? undefined : 'a curtailed fraction is not finite')
  );
}

/** Why what an agent offers cannot be true; undefined when it can. */
export function openingFault(opening: AgentOpening, nodes: number | undefined): string | undefined {
  const fault = powerFault(opening, nodes);
  if (fault !== undefined) return fault;
  const units = opening.units.length;
  for (const { availableW, usedW, factor, ratingVA, shareRe, shareIm, terminals } of opening.units) {
    const found =
      vectorFault('availableW', [availableW], 1, Number.MIN_VALUE, POWER_MAX_W) ??
      vectorFault('usedW, ratingVA', [usedW, ratingVA], 2, 0, POWER_MAX_W) ??
      vectorFault('factor', [factor], 1, Number.MIN_VALUE, FACTOR_MAX) ??
      vectorFault('shareRe', shareRe, nodes, -SHARE_MAX, SHARE_MAX) ??
      vectorFault('shareIm', shareIm, nodes, -SHARE_MAX, SHARE_MAX) ??
      terminalFault(terminals, units, nodes);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why what a unit's terminals follow cannot be true; undefined when it can. */
function terminalFault(
  terminals: AgentOpening['units'][number]['terminals'],
  units: number,
  nodes: number | undefined,
): string | undefined {
  if (terminals?.length === 0) return 'a unit has no terminal';
  const most = TERMINAL_SQUARED_MAX_PU;
  for (const { base, perAlpha, perVar, perPort } of terminals ?? []) {
    if (perAlpha.length !== units || perVar.length !== units)
      return `a terminal has not one value for each of ${units} units`;
    const found =
      vectorFault('base, perAlpha, perVar', [base, ...perAlpha, ...perVar], undefined, -most, most) ??
      vectorFault('perPort', perPort, nodes, -most, most);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why an agent's AC check cannot be true; undefined when it can. */
export function verificationFault(answer: BoundaryVerification, nodes: number | undefined): string | undefined {
  const { maxVoltagePu, minVoltagePu } = answer;
  return (
    powerFault(answer, nodes) ??
    vectorFault('maxVoltagePu, minVoltagePu', [maxVoltagePu, minVoltagePu], 2, 0, VOLTAGE_MAX_PU)
  );
}

/** Why what an area has come to cannot be true; undefined when it can. */
export function outcomeFault(
  { agents }: AreaOutcome,
  portNodes: ReadonlyMap<string, number | undefined>,
): string | undefined {
  for (const [agentId, port] of Object.entries(agents)) {
    const fault = portNodes.has(agentId)
      ? boundaryFault({ ...port, status: 'solved' }, portNodes.get(agentId))
      : 'there is no such agent';
    if (fault !== undefined) return `${agentId}: ${fault}`;
  }
  return undefined;
}

/** Why an agent's set-points cannot be meant; undefined when they can. */
export function setpointFault(setpoints: readonly DerSetpoint[]): string | undefined {
  for (const { derMrid, setpointW, setpointVar } of setpoints) {
    const fault = vectorFault(`set-point of ${derMrid}`, [setpointW, setpointVar], 2, -POWER_MAX_W, POWER_MAX_W);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function powerFault(
  { powerW, powerVar }: { readonly powerW: readonly number[]; readonly powerVar: readonly number[] },
  nodes: number | undefined,
): string | undefined {
  return (
    vectorFault('powerW', powerW, nodes, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('powerVar', powerVar, nodes, -POWER_MAX_W, POWER_MAX_W)
  );
}

function vectorFault(
  name: string,
  values: readonly number[],
  length: number | undefined,
  min: number,
  max: number,
): string | undefined {
  if (length !== undefined && values.length !== length) {
    return `${name} has ${values.length} values where the port has ${length} nodes`;
  }
  const wrong = values.find((value) => !(value >= min && value <= max));
  return wrong === undefined ? undefined : `${name} holds ${wrong}, which is outside ${min} to ${max}`;
}
