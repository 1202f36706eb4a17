import { buildFeeder, compile, type Feeder, feederData, tapRatios } from '../../grid/model/index.js';

/** What of a feeder is left in an export of its admittances or its nominal voltages. */
export interface FrozenParts {
  readonly hasCapacitors: boolean;
  /** Windings stand at the positions of the feeder's regulators, not at neutral. Default false. */
  readonly hasTaps?: boolean;
}

/**
 * The feeder of the exports: every second winding at its neutral tap, no control acts, nothing draws or feeds power but
 * the sources. Upstream's steps are `batchedit transformer..* wdg=2 tap=1` and the disabling of controls, loads,
 * generators, PV systems and storage.
 */
export function frozenFeeder(feeder: Feeder, { hasCapacitors, hasTaps = false }: FrozenParts): Feeder {
  const data = feederData(feeder);
  const { regulatorsOf } = compile(feeder);
  const transformers = data.transformers.map((transformer) => {
    const regulators = regulatorsOf.get(transformer.id) ?? [];
    const ratios = tapRatios(transformer, regulators, ({ position }) => position);
    const windings = transformer.windings.map((winding, w) => ({
      ...winding,
      tapRatio: w === 1 && !hasTaps ? 1 : ratios[w]!,
    }));
    return { ...transformer, windings };
  });
  const capacitors = hasCapacitors ? data.capacitors.map(({ control: _, ...fixed }) => fixed) : [];
  const none = {
    regulators: [],
    loads: [],
    pvSystems: [],
    batteries: [],
    machines: [],
    inverterControls: [],
    currentSources: [],
  };
  return buildFeeder({ ...data, ...none, transformers, capacitors }, []);
}
