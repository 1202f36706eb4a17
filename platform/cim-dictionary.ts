import type { MeasurementPoint } from '../bus/index.js';
import type { CimObject } from '../grid/cim/index.js';
import {
  type Capacitor,
  type Feeder,
  type Generation,
  type Load,
  phaseOfNode,
  type Regulator,
  type Switch,
  type Terminal,
} from '../grid/model/index.js';
import type { LoadedModel } from './loaded-model.js';
import { measurementPoints, objectsOf, referenced } from './object-dictionary.js';

/** Names of solver objects by class of equipment, in the manner of the real platform's exports; others keep their name. */
const SOLVER_PREFIX: Readonly<Record<string, string>> = {
  ACLineSegment: 'line_',
  EnergyConsumer: 'ld_',
  LinearShuntCompensator: 'cap_',
  PowerTransformer: 'xf_',
  RatioTapChanger: 'reg_',
  LoadBreakSwitch: 'swt_',
  Breaker: 'swt_',
  Recloser: 'swt_',
  Fuse: 'swt_',
  Disconnector: 'swt_',
  Sectionaliser: 'swt_',
  PowerElectronicsConnection: 'inv_',
  SynchronousMachine: 'dg_',
};

/** Lists of switching devices by class. */
const SWITCH_LISTS: readonly (readonly [list: string, className: string])[] = [
  ['switches', 'LoadBreakSwitch'],
  ['fuses', 'Fuse'],
  ['jumpers', 'Jumper'],
  ['sectionalisers', 'Sectionaliser'],
  ['breakers', 'Breaker'],
  ['reclosers', 'Recloser'],
  ['disconnectors', 'Disconnector'],
];

/** The CIM dictionary of a model: names, ids, ratings and measurements by which applications find their way. */
export function cimDictionary(model: LoadedModel): unknown {
  const { feeder } = model;
  const { container } = feeder;
  const switchLists = SWITCH_LISTS.map(([list, className]) => [
    list,
    feeder.switches.filter((device) => device.switchClass === className).map((device) => switchEntry(model, device)),
  ]);
  return {
    exportNameMode: 'SAFENAME',
    feeders: [
      {
        name: model.name,
        mRID: model.mrid,
        substation: container.substationName,
        substationID: container.substationMrid,
        subregion: container.subRegionName,
        subregionID: container.subRegionMrid,
        region: container.regionName,
        regionID: container.regionMrid,
        busnames: feeder.buses.map(({ id, name }) => model.index.get(id)?.name || name),
        equipmentnames: [...feeder.elements.values()].map(({ name }) => name),
        synchronousmachines: feeder.machines.map((unit) => generationEntry(model, unit)),
        capacitors: feeder.capacitors.map((capacitor) => capacitorEntry(model, capacitor)),
        regulators: regulatorEntries(model),
        solarpanels: feeder.pvSystems.map((unit) => ({ ...generationEntry(model, unit), ...faultEntry(model, unit) })),
        batteries: feeder.batteries.map((unit) => ({
          ...generationEntry(model, unit),
          ...faultEntry(model, unit),
          ratedE: unit.ratedEnergyWh,
          storedE: unit.storedEnergyWh,
          batteryState: (model.index.get(unit.unitMrid)?.get('BatteryUnit.batteryState') ?? '').replace(/^.*\./, ''),
        })),
        ...Object.fromEntries(switchLists),
        reactors: objectsOf(model, 'SeriesCompensator').map(({ name, mrid }) => ({ name, mRID: mrid })),
        energyconsumers: feeder.loads.map((load) => loadEntry(feeder, load)),
        measurements: measurementEntries(model),
      },
    ],
  };
}

/** The feeders of all models with their place in the utility. */
export function feederIndex(models: readonly LoadedModel[]): unknown {
  return {
    feeders: models.map(({ name, mrid, feeder: { container } }) => ({
      name,
      mRID: mrid,
      substationName: container.substationName,
      substationID: container.substationMrid,
      subregionName: container.subRegionName,
      subregionID: container.subRegionMrid,
      regionName: container.regionName,
      regionID: container.regionMrid,
    })),
  };
}

/** Phases of a terminal as written in CIM texts: `ABC`, `s1s2`. */
export function phasesOf(feeder: Feeder, terminal: Terminal): string {
  const isSplitPhase = feeder.busById.get(terminal.bus)?.isSplitPhase ?? false;
  const phases = terminal.nodes.filter((node) => node !== 0).map((node) => phaseOfNode(node, isSplitPhase));
  return [...new Set(phases)].filter((phase) => phase !== 'N').join('');
}

/** Name of a terminal's connectivity node as the source writes it; the model's own bus names are in upper case. */
function busName(model: LoadedModel, terminal: Terminal): string {
  return model.index.get(terminal.bus)?.name || (model.feeder.busById.get(terminal.bus)?.name ?? terminal.bus);
}

function numberOf(object: CimObject | undefined, attribute: string): number {
  const value = Number(object?.get(attribute) ?? 0);
  return Number.isFinite(value) ? value : 0;
}

function switchEntry(model: LoadedModel, device: Switch): unknown {
  const object = model.index.get(device.id);
  return {
    name: device.name,
    mRID: device.mrid,
    CN1: busName(model, device.from),
    CN2: busName(model, device.to),
    phases: phasesOf(model.feeder, device.from),
    ratedCurrent: numberOf(object, 'Switch.ratedCurrent'),
    breakingCapacity: numberOf(object, 'ProtectedSwitch.breakingCapacity'),
    normalOpen: device.isNormallyOpen,
  };
}

function generationEntry(model: LoadedModel, unit: Generation) {
  const object = model.index.get(unit.id);
  const ratedU = numberOf(object, 'PowerElectronicsConnection.ratedU') || numberOf(object, 'RotatingMachine.ratedU');
  return {
    name: unit.name,
    mRID: unit.mrid,
    CN1: busName(model, unit.terminal),
    phases: phasesOf(model.feeder, unit.terminal),
    ratedS: unit.ratedPowerVA,
    ratedU,
    p: unit.shares.reduce((sum, { powerW }) => sum + powerW, 0),
    q: unit.shares.reduce((sum, { powerVar }) => sum + powerVar, 0),
  };
}

function faultEntry(model: LoadedModel, unit: Generation) {
  return { maxIFault: numberOf(model.index.get(unit.id), 'PowerElectronicsConnection.maxIFault') };
}

function loadEntry(feeder: Feeder, load: Load): unknown {
  return { name: load.name, mRID: load.mrid, phases: phasesOf(feeder, load.terminal) };
}

function capacitorEntry(model: LoadedModel, capacitor: Capacitor): unknown {
  const { control } = capacitor;
  const kvar = (node: number): number => {
    const shares = capacitor.shares.filter((share) => share.node === node);
    return (shares.reduce((sum, { powerVar }) => sum + powerVar, 0) * capacitor.sectionCount) / 1000;
  };
  const monitored = control?.monitoredElementId ? model.index.get(control.monitoredElementId) : undefined;
  return {
    name: capacitor.name,
    mRID: capacitor.mrid,
    CN1: busName(model, capacitor.terminal),
    phases: phasesOf(model.feeder, capacitor.terminal),
    kvar_A: kvar(1),
    kvar_B: kvar(2),
    kvar_C: kvar(3),
    nominalVoltage: capacitor.ratedVoltageV,
    nomU: capacitor.ratedVoltageV,
    phaseConnection: capacitor.connection === 'delta' ? 'D' : 'Y',
    grounded: capacitor.connection === 'wye',
    enabled: control?.isEnabled ?? false,
    mode: control?.mode ?? null,
    targetValue: control?.target ?? 0,
    targetDeadband: control?.deadband ?? 0,
    aVRDelay: control?.delayS ?? 0,
    monitoredName: monitored?.name ?? null,
    monitoredClass: monitored?.className ?? null,
    monitoredBus: control ? busName(model, capacitor.terminal) : null,
    monitoredPhase: control?.monitoredPhase ?? null,
  };
}

/** One entry per transformer bank with tap changers; its lists run over the tap changers of the bank. */
function regulatorEntries(model: LoadedModel): readonly unknown[] {
  const { feeder } = model;
  const banks = new Map<string, { name: string; units: Regulator[] }>();
  for (const regulator of feeder.regulators) {
    const transformer = feeder.transformers.find(({ id }) => id === regulator.transformerId);
    const bankId = transformer?.bankId ?? regulator.transformerId;
    const bank = banks.get(bankId) ?? { name: transformer?.bankName ?? regulator.name, units: [] };
    bank.units.push(regulator);
    banks.set(bankId, bank);
  }
  return [...banks.values()].map(({ name, units }) => {
    const transformers = units.map(({ transformerId }) => feeder.transformers.find(({ id }) => id === transformerId));
    const phases = units.map(({ winding }, i) => {
      const terminal = transformers[i]?.windings[winding]?.terminal;
      return terminal ? phasesOf(feeder, terminal) : '';
    });
    const objects = units.map(({ id }) => model.index.get(id));
    const controls = objects.map((object) => object && referenced(model, object, 'TapChanger.TapChangerControl'));
    const tap = (attribute: string) => objects.map((object) => numberOf(object, attribute));
    const control = (attribute: string) => controls.map((object) => numberOf(object, attribute));
    const isTrue = (object: CimObject | undefined, attribute: string) =>
      object?.get(attribute)?.toLowerCase() === 'true';
    return {
      bankName: name,
      size: units.length,
      bankPhases: phases.join(''),
      tankNames: transformers.map((transformer) => transformer?.name ?? ''),
      endNumbers: units.map(({ winding }) => winding + 1),
      endPhases: phases,
      rtcNames: units.map((unit) => unit.name),
      mRIDs: units.map(({ mrid }) => mrid),
      monitoredPhases: controls.map((object) =>
        (object?.get('RegulatingControl.monitoredPhase') ?? '').replace(/^.*\./, ''),
      ),
      highSteps: units.map(({ highStep }) => highStep),
      lowSteps: units.map(({ lowStep }) => lowStep),
      neutralSteps: units.map(({ neutralStep }) => neutralStep),
      normalSteps: tap('TapChanger.normalStep'),
      'TapChanger.controlEnableds': objects.map((object) => isTrue(object, 'TapChanger.controlEnabled')),
      lineDropCompensations: units.map(({ hasLineDropCompensation }) => hasLineDropCompensation),
      ltcFlags: objects.map((object) => isTrue(object, 'TapChanger.ltcFlag')),
      'RegulatingControl.enableds': controls.map((object) => isTrue(object, 'RegulatingControl.enabled')),
      'RegulatingControl.discretes': controls.map((object) => isTrue(object, 'RegulatingControl.discrete')),
      'RegulatingControl.modes': controls.map((object) =>
        (object?.get('RegulatingControl.mode') ?? '').replace(/^.*\./, ''),
      ),
      steps: units.map(({ position }) => position),
      targetValues: units.map(({ targetV }) => targetV),
      targetDeadbands: units.map(({ bandV }) => bandV),
      maxLimitVoltages: units.map(({ maxVoltageV }) => maxVoltageV ?? 0),
      minLimitVoltages: units.map(({ minVoltageV }) => minVoltageV ?? 0),
      stepVoltageIncrements: units.map(({ stepPu }) => stepPu * 100),
      neutralUs: tap('TapChanger.neutralU'),
      initialDelays: units.map(({ initialDelayS }) => initialDelayS),
      subsequentDelays: units.map(({ subsequentDelayS }) => subsequentDelayS),
      lineDropRs: units.map(({ lineDropRV }) => lineDropRV),
      lineDropXs: units.map(({ lineDropXV }) => lineDropXV),
      reverseLineDropRs: control('TapChangerControl.reverseLineDropR'),
      reverseLineDropXs: control('TapChangerControl.reverseLineDropX'),
      reversibles: units.map(({ isReversible }) => isReversible),
      reverseToNeutrals: controls.map((object) => isTrue(object, 'TapChangerControl.reverseToNeutral')),
      reversingDelays: control('TapChangerControl.reversingDelay'),
      reversingThresholds: control('TapChangerControl.reversingPowerThreshold'),
      reverseTargetValues: control('TapChangerControl.reverseTargetValue'),
      reverseTargetDeadbands: control('TapChangerControl.reverseTargetDeadband'),
      ctRatings: units.map(({ ctPrimaryA }) => ctPrimaryA),
      ctRatios: tap('TapChanger.ctRatio'),
      ptRatios: units.map(({ ptRatio }) => ptRatio),
    };
  });
}

/** Name of the simulator's object that a point is measured at. */
export function simulatorObject({ type, bus, eqtype, eqname }: MeasurementPoint): string {
  return type === 'PNV' ? `nd_${bus}` : `${SOLVER_PREFIX[eqtype] ?? ''}${eqname}`;
}

function measurementEntries(model: LoadedModel): readonly unknown[] {
  return measurementPoints(model).map((point) => ({
    name: point.name,
    mRID: point.measid,
    ConductingEquipment_mRID: point.eqid,
    Terminal_mRID: point.trmid,
    measurementType: point.type,
    phases: point.phases,
    MeasurementClass: point.class,
    ConductingEquipment_type: point.eqtype,
    ConductingEquipment_name: point.eqname,
    ConnectivityNode: point.bus,
    SimObject: simulatorObject(point),
  }));
}
