/**
 * Rooftop PV on a synthetic feeder: `count` systems of 240 V, dealt out over the house buses in turn, with ratings of
 * 3 to 8 kW from a seed. 10,000 of them on the default feeder of 4,900 buses and 1,200 service transformers is the scale
 * that the coordination is measured at. The same seed gives the same roofs.
 */
import { randomStream } from '../../grid/math/index.js';
import { buildFeeder, type Feeder, type PhotovoltaicSystem } from '../../grid/model/index.js';
import { objectId } from './feeder-model.js';
import { type SyntheticOptions, syntheticCircuit } from './synthetic-circuit.js';
import { busId, LEG_BASE_V, syntheticFeederData } from './synthetic-feeder.js';

/** Size and seed of the roofs, and of the feeder. */
export interface RooftopOptions extends SyntheticOptions {
  readonly count?: number;
  /** What the feeder's loads are multiplied by: roofs yield most when little is used. Default 0.3. */
  readonly loadMultiplier?: number;
  /** What the ratings are multiplied by. Default 1. */
  readonly pvMultiplier?: number;
}

const LEAST_KW = 3;
const MOST_KW = 8;

/** A synthetic feeder with PV on its roofs. */
export function rooftopFeeder(options: RooftopOptions = {}): Feeder {
  const { count = 10_000, loadMultiplier = 0.3, pvMultiplier = 1, seed = 1 } = options;
  const circuit = syntheticCircuit(options);
  const data = syntheticFeederData(circuit);
  const random = randomStream(seed).split('roofs');
  const pvSystems = Array.from({ length: count }, (_, k): PhotovoltaicSystem => {
    const { houseBus } = circuit.services[k % circuit.services.length]!;
    const name = `pv_${k}`;
    const powerW = Math.round(random.uniform(LEAST_KW, MOST_KW) * 1000 * pvMultiplier);
    const mrid = objectId('PowerElectronicsConnection', name);
    return {
      kind: 'pv',
      id: `pv.${mrid}`,
      mrid,
      unitMrid: objectId('PhotovoltaicUnit', name),
      name,
      terminal: { bus: busId(houseBus), nodes: [1, 2] },
      connection: 'delta',
      shares: [{ node: 1, otherNode: 2, ratedVoltageV: (2 * LEG_BASE_V) / Math.sqrt(3), powerW, powerVar: 0 }],
      ratedPowerVA: powerW * 1.1,
      maxPowerW: powerW,
      minVoltagePu: 0.5,
      maxVoltagePu: 1.5,
    };
  });
  const loads = data.loads.map((load) => ({
    ...load,
    shares: load.shares.map((share) => ({
      ...share,
      powerW: share.powerW * loadMultiplier,
      powerVar: share.powerVar * loadMultiplier,
    })),
  }));
  return buildFeeder({ ...data, loads, pvSystems });
}
