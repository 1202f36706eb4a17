import type { ConfigurationRequest } from '../bus/index.js';
import { writeDss } from '../grid/dss/writer/index.js';
import { writeGlm } from '../grid/glm/index.js';
import { DecError } from '../grid/math/index.js';
import { cimDictionary, feederIndex } from './cim-dictionary.js';
import { type NodeAdmittance, nodeAdmittance, snapshotYbus, ybusExport } from './export/admittance.js';
import { askedFeeder } from './export/asked-feeder.js';
import { limitsExport } from './export/limits.js';
import { simulationOutput } from './export/measured-objects.js';
import { nominalVoltages, vnomExport } from './export/nominal-voltage.js';
import { symbolsExport } from './export/symbols.js';
import type { LoadedModel } from './loaded-model.js';
import type { ModelStore } from './model-store.js';

/** Answers requests for exports. */
export interface ConfigurationService {
  /** `data` of the answer. @throws DecError when the export is unknown or a parameter is missing */
  answer(request: ConfigurationRequest): unknown;
  /** The admittances of a feeder by node, as the toolbox's static-ybus service answers. @throws DecError `FEEDER_UNKNOWN` */
  staticYbus(feederId: string): Readonly<Record<string, unknown>>;
}

/** What the real platform also exports; each needs a program that is no part of this one. */
const REFUSED: Readonly<Record<string, string>> = {
  'GridLAB-D Zipload Schedule': 'GridLAB-D schedules are not written; profiles are named in the simulation request.',
  'GridLAB-D All': 'folders of GridLAB-D files are not written; take "GridLAB-D Base GLM", one text with everything.',
  'DSS All': 'folders are not written; "DSS Base" is one script with everything.',
  OCHRE: 'house models are not simulated.',
};

/** Parameters that every export takes. */
const COMMON_PARAMETERS: readonly string[] = ['model_id', 'simulation_id'];
/** What loads are does not matter where they are switched off, as for both exports on the real platform too. */
const LOAD_PARAMETERS = ['load_scaling_factor', 'z_fraction', 'i_fraction', 'p_fraction', 'schedule_name'] as const;
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  'YBus Export': LOAD_PARAMETERS,
  'Vnom Export': LOAD_PARAMETERS,
  'GridLAB-D Base GLM': ['load_scaling_factor', 'z_fraction', 'i_fraction', 'p_fraction', 'model_state'],
  'DSS Base': ['load_scaling_factor', 'z_fraction', 'i_fraction', 'p_fraction', 'model_state'],
};
/** Why parameters of the real platform have no effect. */
const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  schedule_name: 'the script has the powers of the model, and no schedule of them',
  use_houses: 'houses are not simulated',
  buscoords: 'the script has the positions of its buses itself; "DSS Coordinate" has them as a file would',
  guids: 'no file of ids is written; QUERY_OBJECT_IDS and "CIM Dictionary" have them',
  randomize_zipload_fractions: 'fractions are the same for every load',
  directory: 'nothing is written to a folder',
};

/** What of a request's parameters has no effect, by name; those without a value ask for nothing. */
function withoutEffect({ configurationType, parameters }: ConfigurationRequest): readonly string[] {
  const known = new Set([...COMMON_PARAMETERS, ...(PARAMETERS[configurationType] ?? [])]);
  return Object.entries(parameters).flatMap(([name, value]) => {
    if (known.has(name) || ['', 'false', '0', '[]', '{}'].includes(value.trim().toLowerCase())) return [];
    const reason = WITHOUT_EFFECT[name] ?? 'this platform has no meaning for it here';
    return [`${name} "${value.slice(0, 80)}" has no effect: ${reason}.`];
  });
}

/**
 * Makes the service. A model may be named by `model_id`, or by the id of a simulation of it.
 * @param warn - told of parameters without effect, by name
 */
export function createConfigurationService(
  store: ModelStore,
  modelOfSimulation: (simulationId: string) => string | undefined,
  warn: (message: string) => void = () => undefined,
): ConfigurationService {
  /** Says what of a request has no effect; @returns what was said. */
  const tell = ({ configurationType }: ConfigurationRequest, problems: readonly string[]): readonly string[] => {
    for (const problem of problems) warn(`"${configurationType}": ${problem}`);
    return problems;
  };
  const modelOf = ({ parameters }: ConfigurationRequest): LoadedModel => {
    const simulationId = parameters['simulation_id'];
    const named = parameters['model_id'] || (simulationId ? modelOfSimulation(simulationId) : undefined);
    if (named) return store.find(named);
    const text = simulationId
      ? `There is no simulation ${simulationId}, and no model_id is given.`
      : 'Model Id or simulation Id not provided in request parameters.';
    throw new DecError('BAD_ARGUMENT', text, { parameters: Object.keys(parameters) });
  };
  const admittance = remembered((model): NodeAdmittance => nodeAdmittance(model.feeder));
  const ofModel = (make: (model: LoadedModel) => unknown) => {
    const known = remembered(make);
    return (request: ConfigurationRequest) => known(modelOf(request));
  };
  const exports: ReadonlyMap<string, (request: ConfigurationRequest) => unknown> = new Map([
    ['CIM Dictionary', ofModel(cimDictionary)],
    ['CIM Feeder Index', () => feederIndex(store.all())],
    ['YBus Export', ofModel((model) => ybusExport(model.feeder, admittance(model)))],
    ['Vnom Export', ofModel(({ feeder }) => vnomExport(nominalVoltages(feeder)))],
    ['GridLAB-D Limits', ofModel(limitsExport)],
    ['GridLAB-D Symbols', ofModel(symbolsExport)],
    ['GridLAB-D Simulation Output', ofModel(simulationOutput)],
    [
      'DSS Base',
      (request) => {
        const { feeder, problems } = askedFeeder(modelOf(request).feeder, request.parameters);
        const told = [...tell(request, problems), ...withoutEffect(request)];
        // Whoever keeps the script sees there what it is not.
        return `${told.map((text) => `! ${text.replace(/\s+/g, ' ')}\n`).join('')}${writeDss(feeder).text}`;
      },
    ],
    [
      'GridLAB-D Base GLM',
      (request) => {
        const { feeder, problems } = askedFeeder(modelOf(request).feeder, request.parameters);
        const told = [...tell(request, problems), ...withoutEffect(request)];
        return `${told.map((text) => `// ${text.replace(/\s+/g, ' ')}\n`).join('')}${writeGlm(feeder).text}`;
      },
    ],
    ['DSS Coordinate', ofModel(coordinates)],
  ]);
  return {
    answer(request) {
      const { configurationType } = request;
      const make = exports.get(configurationType);
      if (make) {
        tell(request, withoutEffect(request));
        return make(request);
      }
      const reason = REFUSED[configurationType];
      const message = reason
        ? `'${configurationType}' is not exported by this platform: ${reason}`
        : `No configuration handler registered for '${configurationType}'. Registered are ${[...exports.keys()].join(', ')}.`;
      throw new DecError('UNSUPPORTED', message, { configurationType });
    },
    staticYbus(feederId) {
      return { feeder_id: feederId, ybus: snapshotYbus(admittance(store.find(feederId))) };
    },
  };
}

/** Makes something of a model once. */
function remembered<T>(make: (model: LoadedModel) => T): (model: LoadedModel) => T {
  const made = new WeakMap<LoadedModel, { readonly value: T }>();
  return (model) => {
    const known = made.get(model);
    if (known) return known.value;
    const value = make(model);
    made.set(model, { value });
    return value;
  };
}

/** Lines `bus,x,y` for the buses that have a place, named as in "DSS Base". */
function coordinates({ feeder }: LoadedModel): string {
  const { busNames } = writeDss(feeder, { solve: false });
  const lines = feeder.buses.flatMap(({ id, x, y }) =>
    x === undefined || y === undefined ? [] : [`${busNames.get(id) ?? id},${x},${y}\n`],
  );
  return lines.join('');
}
