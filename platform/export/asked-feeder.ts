import { CONFIGURATION_QUEUE, type ModelCreation, parseModelState } from '../../bus/index.js';
import { DecError } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, feederData } from '../../grid/model/index.js';
import { withZipFractions } from '../simulation/simulation.js';

/** A feeder as an export asks for it, and what of that could not be done. */
export interface AskedFeeder {
  readonly feeder: Feeder;
  readonly problems: readonly string[];
}

/**
 * A feeder as the parameters of an export ask for it: `load_scaling_factor` multiplies its loads, `z_fraction`, `i_fraction`
 * and `p_fraction` are their shares of constant impedance, current and power (0 where one of them is left out), `model_state`
 * names switches that are open or closed and powers of machines. Without these parameters it is the feeder itself.
 *
 * @param parameters - of the request; numbers are written as text
 * @throws DecError `BAD_ARGUMENT` for what is no number from 0 on, and for shares that do not sum to 1; BusError
 *   `BAD_MESSAGE` for a model_state that cannot be read
 */
export function askedFeeder(feeder: Feeder, parameters: Readonly<Record<string, string>>): AskedFeeder {
  const number = (name: string): number | undefined => {
    const text = parameters[name]?.trim() ?? '';
    if (text === '') return undefined;
    const value = Number(text);
    if (Number.isFinite(value) && value >= 0) return value;
    throw new DecError('BAD_ARGUMENT', `${name} is "${text}"; a number from 0 on is possible.`, { [name]: text });
  };
  const factor = number('load_scaling_factor') ?? 1;
  const [z, i, p] = ['z_fraction', 'i_fraction', 'p_fraction'].map(number);
  const scaled = factor === 1 ? feeder : scaledBy(feeder, factor);
  const mixed =
    z === undefined && i === undefined && p === undefined
      ? scaled
      : withZipFractions(scaled, { z: z ?? 0, i: i ?? 0, p: p ?? 0 });
  const state = parameters['model_state']?.trim() ?? '';
  return state === '' ? { feeder: mixed, problems: [] } : inState(mixed, parseModelState(state, CONFIGURATION_QUEUE));
}

function inState(feeder: Feeder, { switches, machines }: Pick<ModelCreation, 'switches' | 'machines'>): AskedFeeder {
  const problems: string[] = [];
  const find = <T extends { readonly id: string; readonly name: string; readonly mrid: string }>(
    units: readonly T[],
    name: string,
    kind: string,
  ): T | undefined => {
    const unit = units.find((one) => one.name.toUpperCase() === name.toUpperCase() || one.mrid === name);
    if (!unit) problems.push(`model_state names the ${kind} "${name}", which the feeder does not have; it is ignored.`);
    return unit;
  };
  const data = feederData(feeder);
  const isOpen = new Map(switches.map((wanted) => [find(data.switches, wanted.name, 'switch')?.id, wanted.isOpen]));
  const power = new Map(machines.map((wanted) => [find(data.machines, wanted.name, 'machine')?.id, wanted]));
  return {
    problems,
    feeder: buildFeeder(
      {
        ...data,
        switches: data.switches.map((one) => {
          const open = isOpen.get(one.id);
          return open === undefined ? one : { ...one, isOpen: one.isOpen.map(() => open) };
        }),
        machines: data.machines.map((one) => {
          const { powerW, powerVar } = power.get(one.id) ?? {};
          if (powerW === undefined || powerVar === undefined) return one;
          const count = one.shares.length;
          const shares = one.shares.map((share) => ({
            ...share,
            powerW: powerW / count,
            powerVar: powerVar / count,
          }));
          return { ...one, shares };
        }),
      },
      feeder.findings,
    ),
  };
}

function scaledBy(feeder: Feeder, factor: number): Feeder {
  const data = feederData(feeder);
  const loads = data.loads.map((load) => ({
    ...load,
    shares: load.shares.map((share) => ({
      ...share,
      powerW: share.powerW * factor,
      powerVar: share.powerVar * factor,
    })),
  }));
  return buildFeeder({ ...data, loads }, feeder.findings);
}
