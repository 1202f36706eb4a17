import type { ConfigurationRequest } from '../bus/index.js';
import { DecError } from '../grid/math/index.js';
import { cimDictionary, feederIndex } from './cim-dictionary.js';
import type { LoadedModel } from './loaded-model.js';
import type { ModelStore } from './model-store.js';

/** Answers requests for exports. */
export interface ConfigurationService {
  /** `data` of the answer. @throws DecError when the export is unknown or a parameter is missing */
  answer(request: ConfigurationRequest): unknown;
}

/** Makes the service. A model may be named by `model_id`, or by the id of a simulation of it. */
export function createConfigurationService(
  store: ModelStore,
  modelOfSimulation: (simulationId: string) => string | undefined,
): ConfigurationService {
  const dictionaries = new WeakMap<LoadedModel, unknown>();
  const modelOf = ({ parameters }: ConfigurationRequest): LoadedModel => {
    const simulationId = parameters['simulation_id'];
    const named = parameters['model_id'] || (simulationId ? modelOfSimulation(simulationId) : undefined);
    if (named) return store.find(named);
    throw new DecError('BAD_ARGUMENT', 'Model Id or simulation Id not provided in request parameters.', {
      parameters: Object.keys(parameters),
    });
  };
  const exports: ReadonlyMap<string, (request: ConfigurationRequest) => unknown> = new Map([
    [
      'CIM Dictionary',
      (request: ConfigurationRequest) => {
        const model = modelOf(request);
        const known = dictionaries.get(model);
        if (known !== undefined) return known;
        const dictionary = cimDictionary(model);
        dictionaries.set(model, dictionary);
        return dictionary;
      },
    ],
    ['CIM Feeder Index', () => feederIndex(store.all())],
  ]);
  return {
    answer(request) {
      const make = exports.get(request.configurationType);
      if (make) return make(request);
      throw new DecError(
        'UNSUPPORTED',
        `No configuration handler registered for '${request.configurationType}'. Registered are ${[...exports.keys()].join(', ')}.`,
        { configurationType: request.configurationType },
      );
    },
  };
}
