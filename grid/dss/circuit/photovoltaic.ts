import type { Curve, PhotovoltaicSystem } from '../../model/index.js';
import type { DssObject } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import { curveAt, InverterParameters, terminalPower } from './inverter.js';
import { curveOf, profileNames } from './profile.js';
import { sharesAt } from './terminal.js';

/** Rating and cut-in of a PVSystem that names none (OpenDSS): kVA, %. */
const DEFAULT_KVA = 500;
const DEFAULT_CUT_PCT = 20;

/** Converts a PVSystem; its shares hold the power of its own irradiance and temperature. */
export function readPhotovoltaic(reader: CircuitReader, object: DssObject): PhotovoltaicSystem | undefined {
  const parameters = new InverterParameters(DEFAULT_KVA, DEFAULT_CUT_PCT);
  let irradiance = 1;
  let peakKw = 500;
  let peakPct = 100;
  let temperatureC = 25;
  let factor: Curve | undefined;
  for (const assignment of object.assignments) {
    if (parameters.apply(reader, object, assignment)) continue;
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
  }
  const { bus, phases, connection, kv } = parameters;
  if (!bus) {
    reader.note('error', 'MISSING_BUS', object, 'It has no bus1 and is left out.');
    return undefined;
  }
  const inverter = parameters.inverter(DEFAULT_KVA);
  const peakW = peakKw * 1000;
  const panelW = peakW * irradiance * (factor ? curveAt(factor, temperatureC) : 1);
  const isOn = panelW >= (inverter.cutOutPct * inverter.ratedVA) / 100;
  const efficiency = inverter.efficiency ? curveAt(inverter.efficiency, panelW / inverter.ratedVA) : 1;
  const activeW = isOn ? Math.min(panelW * efficiency, (peakW * peakPct) / 100) : 0;
  const [powerW, powerVar] = terminalPower(inverter, activeW, peakW, isOn);
  return {
    kind: 'pv',
    id: `pvsystem.${object.name}`,
    mrid: '',
    unitMrid: '',
    name: object.displayName,
    connection,
    ...sharesAt(bus, phases, connection, kv, powerW, powerVar),
    ratedPowerVA: inverter.ratedVA,
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
