/*
 * InvControl and ExpControl: functions of inverters. Without a list of units they act on all of them.
 * Defaults: OpenDSS, InvControl.pas and ExpControl.pas, as dss-python 0.15.7 shows them.
 */
import type { Battery, Curve, InverterControl, PhotovoltaicSystem } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { curveOf } from './profile.js';

type Mode = InverterControl['mode'];

/** PV systems and batteries by id. */
type Units = ReadonlyMap<string, PhotovoltaicSystem | Battery>;

const MODES: Readonly<Record<string, Mode>> = {
  voltvar: 'voltVar',
  voltwatt: 'voltWatt',
  dynamicreaccurr: 'dynamicReactiveCurrent',
  wattpf: 'wattPowerFactor',
  wattvar: 'wattVar',
};

const COMBINED: Readonly<Record<string, Mode>> = {
  vv_vw: 'voltVarVoltWatt',
  vv_drc: 'voltVarDynamic',
};

/** Ids of the units a list names, all of the classes where there is no list. */
function unitsOf(
  reader: CircuitReader,
  object: DssObject,
  ids: Units,
  list: DssAssignment | undefined,
  classes: readonly string[],
): string[] {
  const names = list ? reader.words(list).filter((name) => name !== '') : [];
  if (!list || names.length === 0)
    return [...ids.keys()].filter((id) => classes.some((name) => id.startsWith(`${name}.`)));
  return names.flatMap((name) => {
    const word = name.toLowerCase();
    const id = word.includes('.') && ids.has(word) ? word : `pvsystem.${word}`;
    if (ids.has(id)) return [id];
    reader.note('error', 'MISSING_REFERENCE', object, 'It names a unit that is not in the circuit.', list);
    return [];
  });
}

class ControlState {
  mode: Mode | undefined = 'voltVar';
  voltVar: Curve | undefined;
  voltWatt: Curve | undefined;
  wattVar: Curve | undefined;
  wattFactor: Curve | undefined;
  varReference: InverterControl['varReference'] = 'available';
  wattReference: InverterControl['wattReference'] = 'panel';
  voltageReference: InverterControl['voltageReference'] = 'rated';
  windowS = 0;
  dynamicWindowS = 1;
  phase: InverterControl['monitoredPhase'] = 'average';
  varFactor = -1;
  wattFactorStep = -1;
  voltageTolerance = 1e-4;
  varTolerance = 0.025;
  wattTolerance = 0.01;
  low = 0.95;
  high = 1.05;
  slopeLow = 0.1;
  slopeHigh = 0.1;
  buses: readonly string[] = [];
  bases: readonly number[] = [];
}

const WINDOW_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A time such as `60s`, `5m`, `1h`, in seconds. */
function windowSeconds(text: string): number | undefined {
  const match = /^(\d+\.?\d*)\s*([smh]?)/i.exec(text.trim());
  return match ? Number(match[1]) * (WINDOW_UNITS[match[2]!.toLowerCase() || 's'] ?? 1) : undefined;
}

function applyOne(reader: CircuitReader, object: DssObject, state: ControlState, assignment: DssAssignment): void {
  const number = (present: number) => reader.number(object, assignment) ?? present;
  const word = reader.word(assignment);
  switch (assignment.property) {
    case 'mode':
      state.mode = Object.hasOwn(MODES, word) ? MODES[word] : undefined;
      if (!state.mode)
        reader.note(
          'warning',
          'UNSUPPORTED_ATTRIBUTE',
          object,
          'Its mode does not act.',
          assignment,
          Object.keys(MODES).join(', '),
        );
      break;
    case 'combimode':
      state.mode = Object.hasOwn(COMBINED, word) ? COMBINED[word] : undefined;
      if (!state.mode)
        reader.note(
          'warning',
          'UNSUPPORTED_ATTRIBUTE',
          object,
          'Its combined mode does not act.',
          assignment,
          'VV_VW, VV_DRC',
        );
      break;
    case 'vvc_curve1':
      state.voltVar = curveOf(reader, object, assignment);
      break;
    case 'voltwatt_curve':
      state.voltWatt = curveOf(reader, object, assignment);
      break;
    case 'wattvar_curve':
      state.wattVar = curveOf(reader, object, assignment);
      break;
    case 'wattpf_curve':
      state.wattFactor = curveOf(reader, object, assignment);
      break;
    case 'voltage_curvex_ref':
      state.voltageReference = word.startsWith('ravg') ? 'ratedAverage' : word.startsWith('a') ? 'average' : 'rated';
      break;
    case 'avgwindowlen':
      state.windowS = windowSeconds(word) ?? state.windowS;
      break;
    case 'dynreacavgwindowlen':
      state.dynamicWindowS = windowSeconds(word) ?? state.dynamicWindowS;
      break;
    case 'vv_refreactivepower':
      reader.note(
        'warning',
        'DEPRECATED_ATTRIBUTE',
        object,
        'OpenDSS no longer acts on this name; it has no effect. RefReactivePower is its name now.',
        assignment,
      );
      break;
    case 'refreactivepower':
      state.varReference = word.startsWith('varmax') ? 'rated' : 'available';
      break;
    case 'voltwattyaxis':
      state.wattReference = word.startsWith('pava') ? 'available' : word.startsWith('kva') ? 'rated' : 'panel';
      break;
    case 'monvoltagecalc':
      state.phase = word.startsWith('ma')
        ? 'max'
        : word.startsWith('mi')
          ? 'min'
          : Number(word) > 0
            ? Number(word)
            : 'average';
      break;
    case 'monbus':
      state.buses = reader.words(assignment);
      break;
    case 'monbusesvbase':
      state.bases = reader.numbers(object, assignment);
      break;
    case 'deltaq_factor':
      state.varFactor = number(state.varFactor);
      break;
    case 'deltap_factor':
      state.wattFactorStep = number(state.wattFactorStep);
      break;
    case 'voltagechangetolerance':
      state.voltageTolerance = number(state.voltageTolerance);
      break;
    case 'varchangetolerance':
      state.varTolerance = number(state.varTolerance);
      break;
    case 'activepchangetolerance':
      state.wattTolerance = number(state.wattTolerance);
      break;
    case 'dbvmin':
      state.low = number(state.low);
      break;
    case 'dbvmax':
      state.high = number(state.high);
      break;
    case 'argralowv':
      state.slopeLow = number(state.slopeLow);
      break;
    case 'argrahiv':
      state.slopeHigh = number(state.slopeHigh);
      break;
    case 'hysteresis_offset':
      if (number(0) !== 0)
        reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'Its curve acts without hysteresis.', assignment);
      break;
    case 'voltwattch_curve':
      reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'Its curve for charging does not act.', assignment);
      break;
    case 'rateofchangemode':
      if (word !== 'inactive') {
        reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, 'Its rate of change is not limited.', assignment);
      }
      break;
  }
}

/** Buses that count in the place of the units' own. */
function monitoredBuses(
  reader: CircuitReader,
  object: DssObject,
  state: ControlState,
): Pick<InverterControl, 'monitored'> {
  const list = state.buses.flatMap((text, i) => {
    const assignment = object.assignments.findLast(({ property }) => property === 'monbus')!;
    const bus = reader.bus(object, assignment, text);
    if (!bus) return [];
    const baseV = state.bases[i];
    if (baseV === undefined || !(baseV > 0)) {
      reader.note(
        'error',
        'MISSING_ATTRIBUTE',
        object,
        'A bus it watches has no base voltage; that bus does not count.',
        assignment,
      );
      return [];
    }
    return [{ bus: bus.name, nodes: bus.nodes.length > 0 ? bus.nodes : [1], baseV }];
  });
  return list.length > 0 ? { monitored: list } : {};
}

/** What every control has, whatever its function. */
function control(
  object: DssObject,
  state: ControlState,
  mode: Mode,
  derIds: string[],
  isEnabled: boolean,
): InverterControl {
  return {
    kind: 'inverterControl',
    id: `${object.className}.${object.name}`,
    name: object.displayName,
    derIds,
    mode,
    ...(state.voltVar ? { voltVar: state.voltVar } : {}),
    varReference: state.varReference,
    ...(state.voltWatt ? { voltWatt: state.voltWatt } : {}),
    wattReference: state.wattReference,
    ...(state.wattVar ? { wattVar: state.wattVar } : {}),
    ...(state.wattFactor ? { wattPowerFactor: state.wattFactor } : {}),
    voltageReference: state.voltageReference,
    averageWindowS: hasDynamicCurrent(mode) ? state.dynamicWindowS : state.windowS,
    monitoredPhase: state.phase,
    varStepFactor: state.varFactor,
    wattStepFactor: state.wattFactorStep,
    voltageTolerancePu: state.voltageTolerance,
    varTolerancePu: state.varTolerance,
    wattTolerancePu: state.wattTolerance,
    isEnabled,
  };
}

/** Whether vars answer the change of the voltage, alone or beside a curve. */
function hasDynamicCurrent(mode: Mode): boolean {
  return mode === 'dynamicReactiveCurrent' || mode === 'voltVarDynamic';
}

/** Curves that a mode cannot do without. */
function lacksCurve(state: ControlState, mode: Mode): boolean {
  if (mode === 'voltVar' || mode === 'voltVarDynamic') return !state.voltVar;
  if (mode === 'voltWatt') return !state.voltWatt;
  if (mode === 'voltVarVoltWatt') return !state.voltVar || !state.voltWatt;
  if (mode === 'wattVar') return !state.wattVar;
  return mode === 'wattPowerFactor' && !state.wattFactor;
}

/** What OpenDSS makes of some units under a mode and this model does not: one sentence each. */
function differences(
  mode: Mode,
  units: readonly (PhotovoltaicSystem | Battery)[],
  isMonitored: boolean,
  wattVar: Curve | undefined,
): string[] {
  const texts: string[] = [];
  const batteries = units.flatMap((unit) => (unit.kind === 'battery' ? [unit] : []));
  if (mode === 'wattPowerFactor' && batteries.length > 0) {
    texts.push('A Storage follows its curve of power factor, where OpenDSS gives it no vars.');
  }
  if (mode === 'wattVar') {
    if (batteries.length > 0) texts.push('A Storage follows its curve of vars, where OpenDSS gives it none.');
    if (units.some((unit) => isVarShort(unit, wattVar))) {
      texts.push(
        'Where its limits cut the vars of wattvar a PVSystem keeps its watts; OpenDSS lowers them until the curve fits.',
      );
    }
    if (units.some(exceedsShare)) {
      texts.push('A PVSystem stays within %Pmpp of Pmpp, where OpenDSS under wattvar lets it deliver more.');
    }
  }
  if (mode === 'voltWatt' && batteries.some(isShortOfFactor)) {
    texts.push(
      'A Storage that charges beyond its kVA gives up watts for its vars, where OpenDSS keeps its power factor under voltwatt.',
    );
  }
  if (!isMonitored && units.some(isBetweenPhases)) {
    texts.push('Of a unit between two nodes each counts to ground; OpenDSS sets that against the rating between them.');
  }
  return texts;
}

/** Whether a curve can ask a PV system for more vars than its limits let pass. */
function isVarShort(unit: PhotovoltaicSystem | Battery, wattVar: Curve | undefined): boolean {
  if (unit.kind !== 'pv' || !unit.inverter || !wattVar) return false;
  const { ratedVA, maxVar, minVar } = unit.inverter;
  return Math.max(...wattVar.y) * ratedVA > maxVar || -Math.min(...wattVar.y) * ratedVA > minVar;
}

/** Whether a panel has more to give than its share of Pmpp lets pass, and the rating has room for it. */
function exceedsShare(unit: PhotovoltaicSystem | Battery): boolean {
  if (unit.kind !== 'pv' || !unit.panel || !unit.inverter) return false;
  const { maxPowerPointW, maxPowerPointPct, irradiance } = unit.panel;
  const { ratedVA } = unit.inverter;
  return maxPowerPointPct < 100 || (ratedVA > maxPowerPointW && irradiance * maxPowerPointW > ratedVA);
}

/** Whether watts and the vars of the power factor together are more than the rating of a battery. */
function isShortOfFactor({ inverter, maxChargeW }: Battery): boolean {
  if (inverter?.reactive.by !== 'powerFactor' || inverter.priority === 'powerFactor') return false;
  return Math.abs(inverter.reactive.powerFactor) * inverter.ratedVA < maxChargeW;
}

/** Converts an InvControl; `ids` are those of all PV systems and batteries. */
export function readInverterControl(reader: CircuitReader, object: DssObject, ids: Units): InverterControl | undefined {
  const state = new ControlState();
  for (const assignment of object.assignments) applyOne(reader, object, state, assignment);
  const { mode } = state;
  if (!mode) return undefined;
  if (lacksCurve(state, mode)) {
    reader.note('error', 'MISSING_REFERENCE', object, 'It lacks the curve of its mode and does not act.');
    return undefined;
  }
  const list = object.assignments.findLast(({ property }) => property === 'derlist' || property === 'pvsystemlist');
  const units = unitsOf(reader, object, ids, list, ['pvsystem', 'storage']);
  const controlled = units.flatMap((id) => ids.get(id) ?? []);
  for (const text of differences(mode, controlled, state.buses.length > 0, state.wattVar)) {
    reader.note('warning', 'UNSUPPORTED_ATTRIBUTE', object, text, list);
  }
  const made = control(object, state, mode, units, reader.isEnabled(object));
  return {
    ...made,
    ...monitoredBuses(reader, object, state),
    ...(hasDynamicCurrent(mode)
      ? {
          dynamic: {
            deadbandLowPu: state.low,
            deadbandHighPu: state.high,
            slopeLow: state.slopeLow,
            slopeHigh: state.slopeHigh,
          },
        }
      : {}),
  };
}

/** Converts an ExpControl. */
export function readAdaptiveControl(reader: CircuitReader, object: DssObject, ids: Units): InverterControl | undefined {
  const values: Record<string, number> = {
    vreg: 1,
    slope: 50,
    vregtau: 1200,
    qbias: 0,
    vregmin: 0.95,
    vregmax: 1.05,
    qmaxlead: 0.44,
    qmaxlag: 0.44,
    deltaq_factor: 0.7,
    tresponse: 0,
  };
  let prefersVar = false;
  for (const assignment of object.assignments) {
    const { property } = assignment;
    if (property === 'preferq') prefersVar = reader.flag(object, assignment);
    else if (Object.hasOwn(values, property)) values[property] = reader.number(object, assignment) ?? values[property]!;
  }
  const list = object.assignments.findLast(({ property }) => property === 'derlist' || property === 'pvsystemlist');
  const state = new ControlState();
  state.varFactor = values['deltaq_factor']!;
  state.varReference = 'rated';
  // An ExpControl goes on until its vars are where they should be to this share of the rating; an InvControl stops far earlier.
  state.varTolerance = 1e-4;
  const made = control(
    object,
    state,
    'adaptiveVar',
    unitsOf(reader, object, ids, list, ['pvsystem']),
    reader.isEnabled(object),
  );
  return {
    ...made,
    adaptive: {
      referencePu: values['vreg']!,
      slope: values['slope']!,
      timeConstantS: values['vregtau']!,
      biasVarPu: values['qbias']!,
      leastReferencePu: values['vregmin']!,
      largestReferencePu: values['vregmax']!,
      // As OpenDSS acts (dss-python 0.15.7): at a high voltage it takes up to qmaxlead of the rating, at a low one it gives up to qmaxlag.
      largestGivenVarPu: values['qmaxlag']!,
      largestTakenVarPu: values['qmaxlead']!,
      prefersVar,
    },
  };
}

/** Whether a unit is tied between two phases alone, neither to ground nor to a neutral conductor. */
function isBetweenPhases({ shares }: PhotovoltaicSystem | Battery): boolean {
  const [own] = shares;
  return shares.length === 1 && own!.otherNode !== 0 && own!.otherNode <= 3;
}
