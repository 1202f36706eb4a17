import type { CimIndex, CimObject } from '../../grid/cim/index.js';
import type { Bus, Feeder } from '../../grid/model/index.js';
import type { LoadedModel } from '../loaded-model.js';

const ROOT_3 = Math.sqrt(3);
/** Ranges of ANSI C84.1 for service voltages, pu: what holds where the source has no limits of its own. */
const RANGES = { Blo: 110 / 120, Alo: 114 / 120, Ahi: 126 / 120, Bhi: 127 / 120 } as const;
/** Overload that a rating without an emergency value bears, after OpenDSS' default of EmergAmps. */
const EMERGENCY_OVER_NORMAL = 1.5;
/** A limit that may be borne longer than a day is a normal one, s. */
const NORMAL_DURATION_S = 86_400;

type Range = keyof typeof RANGES;

/** Limits of a node, V line to line as CIM has them; its place in the source's coordinates where known. */
interface VoltageLimits extends Readonly<Record<Range, number>> {
  readonly id: string;
  readonly x?: number;
  readonly y?: number;
}

/** Limits of a piece of equipment, A. */
interface CurrentLimits {
  readonly id: string;
  readonly Normal: number;
  readonly Emergency: number;
}

/** Answer to "GridLAB-D Limits": voltages by connectivity node, currents by equipment. */
export function limitsExport(model: LoadedModel): {
  readonly limits: { readonly voltages: readonly VoltageLimits[]; readonly currents: readonly CurrentLimits[] };
} {
  const { feeder, index } = model;
  return {
    limits: { voltages: feeder.buses.map((bus) => voltageLimits(index, bus)), currents: currentLimits(feeder, index) },
  };
}

function voltageLimits(index: CimIndex, bus: Bus): VoltageLimits {
  const node = index.get(bus.id);
  const baseV = bus.baseVoltageV * ROOT_3;
  const ansi = (range: Range) => Math.round(RANGES[range] * baseV * 1e4) / 1e4;
  const found: Partial<Record<Range, number>> = {};
  for (const set of node?.refs('ConnectivityNode.OperationalLimitSet') ?? []) {
    for (const limit of index.referrers(set, 'OperationalLimit.OperationalLimitSet')) {
      const value = Number(limit.get('VoltageLimit.value'));
      const range = rangeOf(index, limit);
      if (range && value > 0) found[range] = value;
    }
  }
  return {
    id: node?.mrid || bus.mrid || bus.name,
    Blo: found.Blo ?? ansi('Blo'),
    Alo: found.Alo ?? ansi('Alo'),
    Ahi: found.Ahi ?? ansi('Ahi'),
    Bhi: found.Bhi ?? ansi('Bhi'),
    ...(bus.x === undefined || bus.y === undefined ? {} : { x: bus.x, y: bus.y }),
  };
}

/** Range A or B by the limit's name, or by how long it may be borne; high or low by its direction. */
function rangeOf(index: CimIndex, limit: CimObject): Range | undefined {
  if (limit.className !== 'VoltageLimit') return undefined;
  const type = index.get(limit.ref('OperationalLimit.OperationalLimitType') ?? '');
  const named = /Range([AB])(Hi|Lo)$/i.exec(limit.name);
  const isB = named ? named[1]!.toUpperCase() === 'B' : durationS(type) <= NORMAL_DURATION_S;
  const direction = named?.[2] ?? type?.get('OperationalLimitType.direction') ?? '';
  if (/hi(gh)?$/i.test(direction)) return isB ? 'Bhi' : 'Ahi';
  return /lo(w)?$/i.test(direction) ? (isB ? 'Blo' : 'Alo') : undefined;
}

function currentLimits(feeder: Feeder, index: CimIndex): readonly CurrentLimits[] {
  return [...feeder.lines, ...feeder.switches].flatMap((branch) => {
    const { ratingA, id, mrid, name } = branch;
    if (ratingA === undefined) return [];
    let emergency = 0;
    for (const terminal of index.referrers(id, 'Terminal.ConductingEquipment')) {
      const sets = [
        ...terminal.refs('ACDCTerminal.OperationalLimitSet'),
        ...index.referrersOf(terminal, 'OperationalLimitSet.Terminal').map((set) => set.id),
      ];
      for (const set of sets) {
        for (const limit of index.referrers(set, 'OperationalLimit.OperationalLimitSet')) {
          const type = index.get(limit.ref('OperationalLimit.OperationalLimitType') ?? '');
          if (limit.className !== 'CurrentLimit' || durationS(type) > NORMAL_DURATION_S) continue;
          emergency = Math.max(emergency, Number(limit.get('CurrentLimit.value')) || 0);
        }
      }
    }
    const Emergency = emergency > 0 ? emergency : ratingA * EMERGENCY_OVER_NORMAL;
    return [{ id: mrid || name, Normal: ratingA, Emergency }];
  });
}

function durationS(type: CimObject | undefined): number {
  const duration = Number(type?.get('OperationalLimitType.acceptableDuration'));
  return duration > 0 ? duration : Number.POSITIVE_INFINITY;
}
