import type { CableShield } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { type LengthUnit, metresIn } from './unit.js';

/** A wire or cable core in SI units: ohm per metre and metre. */
export interface WireData {
  readonly rAc: number;
  readonly rDc: number;
  readonly gmr: number;
  readonly radius: number;
  readonly normalA: number;
  readonly shield?: CableShield;
}

/** Classes that a conductor may be of. */
export type WireClass = 'wiredata' | 'cndata' | 'tsdata';

/** GMR of a solid round wire, in radii (exp(-1/4), as OpenDSS rounds it). */
const SOLID_GMR = 0.7788;
/** Resistance at line frequency over that at direct current, where one of them is not given. */
const AC_OVER_DC = 1.02;

/** Works out a WireData, CNData or TSData object; undefined with a finding where it gives no impedance. */
export function readWireData(reader: CircuitReader, object: DssObject): WireData | undefined {
  const values = new Map<string, number>();
  let runits: LengthUnit = 'none';
  let gmrunits: LengthUnit = 'none';
  let radunits: LengthUnit = 'none';
  for (const assignment of object.assignments) {
    switch (assignment.property) {
      case 'runits':
        runits = reader.unit(object, assignment);
        break;
      case 'gmrunits':
        gmrunits = reader.unit(object, assignment);
        if (radunits === 'none') radunits = gmrunits;
        break;
      case 'radunits':
        radunits = reader.unit(object, assignment);
        if (gmrunits === 'none') gmrunits = radunits;
        break;
      case 'seasons':
      case 'ratings':
      case 'like':
      case 'enabled':
        break;
      default: {
        const value = reader.number(object, assignment);
        if (value === undefined) break;
        if (assignment.property === 'diam') {
          values.set('radius', value / 2);
          if (!values.has('gmrac')) values.set('gmrac', (SOLID_GMR * value) / 2);
          break;
        }
        values.set(assignment.property, value);
        if (assignment.property === 'rdc' && !values.has('rac')) values.set('rac', AC_OVER_DC * value);
        if (assignment.property === 'rac' && !values.has('rdc')) values.set('rdc', value / AC_OVER_DC);
        if (assignment.property === 'gmrac' && !values.has('radius')) values.set('radius', value / SOLID_GMR);
        if (assignment.property === 'radius' && !values.has('gmrac')) values.set('gmrac', SOLID_GMR * value);
      }
    }
  }
  const perMetre = (name: string) => (values.get(name) ?? -1) / metresIn(runits);
  const size = (name: string, unit: LengthUnit) => (values.get(name) ?? -1) * metresIn(unit);
  const wire = {
    rAc: perMetre('rac'),
    rDc: perMetre('rdc'),
    gmr: size('gmrac', gmrunits),
    radius: size(values.has('capradius') ? 'capradius' : 'radius', radunits),
    normalA: values.get('normamps') ?? 0,
  };
  const lacking = [
    ...(wire.rAc > 0 ? [] : ['rac']),
    ...(wire.gmr > 0 ? [] : ['gmrac']),
    ...(wire.radius > 0 ? [] : ['radius']),
  ];
  if (lacking.length > 0) {
    reader.note('error', 'MISSING_ATTRIBUTE', object, `It lacks ${lacking.join(', ')}; lines of it have no impedance.`);
    return undefined;
  }
  if (object.className === 'wiredata') return wire;
  const insulation = {
    relativePermittivity: values.get('epsr') ?? 2.3,
    insulationDiameter: size('diains', radunits),
    insulationThickness: size('inslayer', radunits),
  };
  const isConcentric = object.className === 'cndata';
  const strand = size('diastrand', radunits);
  const shield: CableShield = isConcentric
    ? {
        kind: 'concentric',
        ...insulation,
        strandCount: values.get('k') ?? 2,
        outerDiameter: size('diacable', radunits),
        strandDiameter: strand,
        strandGmr: values.has('gmrstrand') ? size('gmrstrand', gmrunits) : (SOLID_GMR * strand) / 2,
        strandR: perMetre('rstrand'),
      }
    : {
        kind: 'tape',
        ...insulation,
        shieldDiameter: size('diashield', radunits),
        tapeThickness: size('tapelayer', radunits),
        tapeLap: values.get('tapelap') ?? 20,
      };
  const needed = isConcentric
    ? ['diains', 'inslayer', 'diacable', 'diastrand', 'rstrand']
    : ['diains', 'inslayer', 'diashield', 'tapelayer'];
  const missing = needed.filter((name) => !((values.get(name) ?? -1) > 0));
  if (missing.length > 0) {
    reader.note('error', 'MISSING_ATTRIBUTE', object, `It lacks ${missing.join(', ')}; lines of it have no impedance.`);
    return undefined;
  }
  return { ...wire, shield };
}
