import type { Curve, PhotovoltaicSystem } from '../../model/index.js';
import type { DssAssignment, DssObject } from '../script/index.js';
import { type CircuitReader, commandsOf } from './circuit-reader.js';
import { curveAt, InverterParameters, terminalPower } from './inverter.js';
import { curveOf, profileNames } from './profile.js';
import { admittanceShare } from './terminal.js';

/** Rating and cut-in of a PVSystem that names none (OpenDSS): kVA, %. */
const DEFAULT_KVA = 500;
const DEFAULT_CUT_PCT = 20;

/** Converts a PVSystem; its shares hold the power of its own irradiance and temperature. */
export function readPhotovoltaic(
  reader: CircuitReader,
  withoutFactorPriority: ReadonlySet<string>,
  object: DssObject,
): PhotovoltaicSystem | undefined {
  const parameters = new InverterParameters(DEFAULT_KVA, DEFAULT_CUT_PCT);
  let irradiance = 1;
  let peakKw = 500;
  let peakPct = 100;
  let temperatureC = 25;
  let factor: Curve | undefined;
  const apply = (assignment: DssAssignment): void => {
    if (parameters.apply(reader, object, assignment)) return;
    const number = (present: number) => reader.number(object, assignment) ?? present;
    switch (assignment.property) {
      case 'irradiance':
        irradiance = number(irradiance);
        break;
      case 'pmpp':
        peakKw = number(peakKw);
        break;
      case '%pmpp':
        peakPct = number(peakPct);
        break;
      case 'temperature':
        temperatureC = number(temperatureC);
        break;
      case 'p-tcurve':
        factor = curveOf(reader, object, assignment);
        break;
    }
  };
  const panelOfNow = () => peakKw * 1000 * irradiance * (factor ? curveAt(factor, temperatureC) : 1);
  // It starts in service; after each command OpenDSS looks whether it cuts out, or in again.
  let isOn = true;
  for (const command of commandsOf(object)) {
    command.forEach(apply);
    const { cutInPct, cutOutPct } = parameters;
    isOn = panelOfNow() >= ((isOn ? cutOutPct : cutInPct) * parameters.kva * 1000) / 100;
  }
  const { bus, phases, connection, kv } = parameters;
  if (!bus) {
    reader.noteNoBus(object);
    return undefined;
  }
  if (withoutFactorPriority.has(`pvsystem.${object.name}`)) parameters.hasFactorPriority = false;
  const inverter = parameters.inverter(DEFAULT_KVA);
  const peakW = peakKw * 1000;
  const panelW = panelOfNow();
  const efficiency = inverter.efficiency ? curveAt(inverter.efficiency, panelW / inverter.ratedVA) : 1;
  const activeW = isOn ? Math.min(panelW * efficiency, (peakW * peakPct) / 100) : 0;
  const [powerW, powerVar] = terminalPower(inverter, activeW, peakW, isOn);
  const placed = parameters.place(reader, object, bus, kv, powerW, powerVar);
  if (!placed) return undefined;
  return {
    kind: 'pv',
    id: `pvsystem.${object.name}`,
    mrid: '',
    unitMrid: '',
    name: object.displayName,
    connection,
    ...placed,
    ratedPowerVA: inverter.ratedVA,
    ...admittanceShare(reader, object, parameters),
    // OpenDSS limits the current of one phase in delta to that of one phase in wye
    minVoltagePu:
      parameters.leastPu * (inverter.isCurrentLimited && connection === 'delta' && phases === 1 ? Math.sqrt(3) : 1),
    maxVoltagePu: parameters.largestPu,
    maxPowerW: Math.min((peakW * peakPct) / 100, inverter.ratedVA),
    panel: {
      maxPowerPointW: peakW,
      irradiance,
      maxPowerPointPct: peakPct,
      temperatureC,
      ...(factor ? { temperatureFactor: factor } : {}),
      ...temperatureNames(reader, object),
      ...(isOn || panelW < (inverter.cutOutPct * inverter.ratedVA) / 100 ? {} : { isCutOut: true }),
    },
    inverter,
    ...(parameters.model === 2 ? { model: 2 as const } : {}),
    ...profileNames(reader, object),
  };
}

function temperatureNames(reader: CircuitReader, object: DssObject) {
  const { profiles } = profileNames(reader, object, 'tshape', 't');
  return profiles ? { temperatureProfiles: profiles } : {};
}
