import type { AgentReply, AgentRequest, CutRequest, VerifyRequest } from '../grid/optim/index.js';

/** Largest power at one port node that can be meant, W or var. */
const POWER_MAX_W = 1e9;
/** Largest square of a port voltage in an AC power flow that can be meant, pu. */
const VOLTAGE_SQUARED_MAX_PU = 4;
/** Fractions may leave 0 to 1 by rounding. */
const ALPHA_SLACK = 1e-6;
/** A target is z - u, not a voltage: while the dual still grows it lies far from any voltage, on either side. */
const TARGET_SQUARED_MAX_PU = 1e6;

/** Why a round's targets cannot be meant for a port of so many nodes; undefined when they can. */
export function targetFault(request: AgentRequest, nodes: number): string | undefined {
  const { rho, targetW, targetVar, targetVoltageSquaredPu, targetAlpha = 0 } = request;
  if (!(Number.isFinite(rho) && rho > 0)) return `rho is ${rho}`;
  if (!Number.isFinite(targetAlpha)) return `targetAlpha is ${targetAlpha}`;
  return (
    vectorFault('targetW', targetW, nodes, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('targetVar', targetVar, nodes, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('targetVoltageSquaredPu', targetVoltageSquaredPu, nodes, -TARGET_SQUARED_MAX_PU, TARGET_SQUARED_MAX_PU)
  );
}

/** Why a dispatch cannot be meant for a port of so many nodes; undefined when it can. */
export function dispatchFault({ alpha, reactiveVar, voltageSquaredPu }: CutRequest, nodes: number): string | undefined {
  // How many units there are is the core's to know.
  return (
    vectorFault('alpha', alpha, alpha.length, -ALPHA_SLACK, 1 + ALPHA_SLACK) ??
    vectorFault('reactiveVar', reactiveVar, alpha.length, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('voltageSquaredPu', voltageSquaredPu, nodes, 0, VOLTAGE_SQUARED_MAX_PU)
  );
}

/**
 * Why port voltages cannot be meant; undefined when they can.
 * @param baseV - base voltage of the port, V
 */
export function voltageFault({ voltage }: VerifyRequest, nodes: number, baseV: number): string | undefined {
  const most = baseV * Math.sqrt(VOLTAGE_SQUARED_MAX_PU);
  const fault = vectorFault('voltage', voltage, 2 * nodes, -most, most);
  if (fault !== undefined) return fault;
  for (let k = 0; k < nodes; k++) {
    if (voltage[2 * k] === 0 && voltage[2 * k + 1] === 0) return `voltage of port node ${k + 1} is zero`;
  }
  return undefined;
}

/** Why what an agent answers in a round cannot be meant for a port of so many nodes; undefined when it can. */
export function replyFault({ powerW, powerVar, voltageSquaredPu }: AgentReply, nodes: number): string | undefined {
  const most = TARGET_SQUARED_MAX_PU;
  // An agent without limits of its own tells no voltage.
  const voltages = voltageSquaredPu.length === 0 ? 0 : nodes;
  return (
    vectorFault('powerW', powerW, nodes, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('powerVar', powerVar, nodes, -POWER_MAX_W, POWER_MAX_W) ??
    vectorFault('voltageSquaredPu', voltageSquaredPu, voltages, -most, most)
  );
}

/** Why an answer of several parts cannot be meant: a number in it is none; undefined where all are. */
export function numberFault(answer: unknown, path = ''): string | undefined {
  if (typeof answer === 'number') return Number.isFinite(answer) ? undefined : `${path} is ${answer}`;
  if (typeof answer !== 'object' || answer === null) return undefined;
  const isList = Array.isArray(answer) || ArrayBuffer.isView(answer);
  for (const [key, value] of Object.entries(answer)) {
    const fault = numberFault(value, isList ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function vectorFault(
  name: string,
  values: readonly number[],
  length: number,
  min: number,
  max: number,
): string | undefined {
  if (values.length !== length) return `${name} has ${values.length} values where the port needs ${length}`;
  const wrong = values.find((value) => !(value >= min && value <= max));
  return wrong === undefined ? undefined : `${name} holds ${wrong}, which is outside ${min} to ${max}`;
}
