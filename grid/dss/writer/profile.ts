/** Profiles, growth, curves and inverter controls. */
import type { Curve, GrowthProfile, InverterControl, Profile } from '../../model/index.js';
import { list, newObject, type Properties, yesNo } from './command.js';
import type { DssScriptText } from './script.js';

/** Names of profiles that are used as temperatures: a class of their own in OpenDSS. */
export function temperatureNames(script: DssScriptText): ReadonlySet<string> {
  return new Set(
    script.feeder.pvSystems.flatMap(({ panel }) =>
      Object.values(panel?.temperatureProfiles ?? {}).map((name) => String(name).toLowerCase()),
    ),
  );
}

/** A load or temperature shape. */
export function writeProfile(script: DssScriptText, profile: Profile, isTemperature: boolean): void {
  const className = isTemperature ? 'TShape' : 'LoadShape';
  const times: Properties =
    profile.hours === undefined ? { sinterval: profile.intervalS } : { interval: 0, hour: list(profile.hours) };
  script.add(
    newObject(className, script.names.name(className, profile.name.toLowerCase(), profile.name), {
      npts: profile.values.length,
      ...times,
      ...(isTemperature
        ? { temp: list(profile.values) }
        : {
            // All digits: storage compares them with its triggers, and a tie must stay one.
            mult: list(profile.values.map(String)),
            qmult: profile.reactiveValues === undefined ? undefined : list(profile.reactiveValues),
            useactual: profile.isActual ? yesNo(true) : undefined,
          }),
    }),
  );
}

/**
 * What storage that goes by the level of the load looks at, for which OpenDSS has one shape of the circuit and none of the unit: the
 * shapes of the first such unit, and a finding for every other that has others.
 */
export function writeLevelShapes(script: DssScriptText): void {
  const units = script.feeder.batteries.filter(({ cell }) => cell?.dispatch === 'loadLevel');
  const [first, ...others] = units.map((unit) => ({ unit, shapes: script.profiles(unit.profiles) }));
  if (!first) return;
  const { daily: plain, yearly } = first.shapes;
  // The load multiplier of the model is in the powers written here; OpenDSS' level has it day by day and not over the year.
  const levelMultiplier = first.unit.cell?.levelMultiplier ?? 1;
  const daily = levelMultiplier === 1 ? plain : scaledShape(script, first.unit.profiles?.daily, levelMultiplier);
  if (levelMultiplier !== 1) {
    const text =
      `OpenDSS dispatches it in series as here; in a snapshot it sees a load level of 1 where the model has ${levelMultiplier}, ` +
      'because the multiplier is in the powers of the loads. Compare snapshots with its state held.';
    script.notCarried(first.unit, 'Storage', 'levelMultiplier', text);
  }
  if (daily !== undefined) script.add(`Set DefaultDaily=${daily}`);
  if (yearly !== undefined) script.add(`Set DefaultYearly=${yearly}`);
  for (const { unit, shapes } of others) {
    if (shapes['daily'] === plain && shapes['yearly'] === yearly) continue;
    const text = `OpenDSS has one shape of the load's level for all storage; that of ${first.unit.name} stands for it.`;
    script.notCarried(unit, 'Storage', 'profiles', text);
  }
}

/** Writes a shape again with all its values times a factor; its name. */
function scaledShape(script: DssScriptText, name: string | undefined, factor: number): string | undefined {
  const profile = script.feeder.profiles.find((one) => one.name.toLowerCase() === name?.toLowerCase());
  if (!profile) return undefined;
  const scaled = { ...profile, name: `${profile.name}_level`, values: profile.values.map((value) => factor * value) };
  writeProfile(script, scaled, false);
  return script.names.name('LoadShape', scaled.name.toLowerCase(), scaled.name);
}

/** Growth over years. */
export function writeGrowth(script: DssScriptText, growth: GrowthProfile): void {
  script.add(
    newObject('GrowthShape', script.names.name('GrowthShape', growth.name.toLowerCase(), growth.name), {
      npts: growth.years.length,
      year: list(growth.years),
      mult: list(growth.multipliers),
    }),
  );
}

/** All curves that inverters, panels and controls refer to, each once. */
export function writeCurves(script: DssScriptText): void {
  const { pvSystems, batteries, inverterControls } = script.feeder;
  const curves: (Curve | undefined)[] = [
    ...pvSystems.flatMap(({ panel, inverter }) => [panel?.temperatureFactor, inverter?.efficiency]),
    ...batteries.map(({ inverter }) => inverter?.efficiency),
    ...inverterControls.flatMap((c) => [c.voltVar, c.voltWatt, c.wattVar, c.wattPowerFactor]),
  ];
  const written = new Set<string>();
  for (const curve of curves) {
    if (!curve || written.has(curve.name.toLowerCase())) continue;
    if (written.size === 0) script.section('curves', 1);
    written.add(curve.name.toLowerCase());
    script.add(
      newObject('XYcurve', script.names.name('XYcurve', curve.name.toLowerCase(), curve.name), {
        npts: curve.x.length,
        xarray: list(curve.x),
        yarray: list(curve.y),
      }),
    );
  }
}

const MODES = {
  voltVar: { mode: 'voltvar' },
  voltWatt: { mode: 'voltwatt' },
  voltVarVoltWatt: { CombiMode: 'VV_VW' },
  voltVarDynamic: { CombiMode: 'VV_DRC' },
  dynamicReactiveCurrent: { mode: 'dynamicreaccurr' },
  wattVar: { mode: 'wattvar' },
  wattPowerFactor: { mode: 'wattpf' },
  adaptiveVar: {},
} as const;

const REFERENCES = {
  voltage: { rated: 'rated', average: 'avg', ratedAverage: 'ravg' },
  var: { available: 'varaval', rated: 'varmax' },
  watt: { available: 'pavailablepu', panel: 'pmpppu', rated: 'kvaratingpu' },
} as const;

/** A control of inverters. */
export function writeInverterControl(script: DssScriptText, control: InverterControl): void {
  const curve = (c: Curve | undefined) =>
    c === undefined ? undefined : script.names.name('XYcurve', c.name.toLowerCase(), c.name);
  const ders = control.derIds.flatMap((id) => {
    const pv = script.feeder.pvSystems.find((one) => one.id === id);
    if (pv) return [`PVSystem.${script.element('PVSystem', pv)}`];
    const battery = script.feeder.batteries.find((one) => one.id === id);
    return battery ? [`Storage.${script.element('Storage', battery)}`] : [];
  });
  const enabled = control.isEnabled ? undefined : yesNo(false);
  const { adaptive, dynamic, monitored } = control;
  if (control.mode === 'adaptiveVar') {
    script.add(
      newObject('ExpControl', script.names.name('ExpControl', control.id, control.name), {
        derlist: list(ders),
        vreg: adaptive?.referencePu,
        slope: adaptive?.slope,
        vregtau: adaptive?.timeConstantS,
        qbias: adaptive?.biasVarPu,
        vregmin: adaptive?.leastReferencePu,
        vregmax: adaptive?.largestReferencePu,
        qmaxlead: adaptive?.largestTakenVarPu,
        qmaxlag: adaptive?.largestGivenVarPu,
        preferQ: adaptive?.prefersVar ? yesNo(true) : undefined,
        enabled,
      }),
    );
    return;
  }
  const phase = { average: 'avg', max: 'max', min: 'min' }[String(control.monitoredPhase)];
  script.add(
    newObject('InvControl', script.names.name('InvControl', control.id, control.name), {
      derlist: list(ders),
      ...MODES[control.mode],
      vvc_curve1: curve(control.voltVar),
      voltwatt_curve: curve(control.voltWatt),
      wattvar_curve: curve(control.wattVar),
      wattpf_curve: curve(control.wattPowerFactor),
      voltage_curvex_ref: REFERENCES.voltage[control.voltageReference],
      [dynamic ? 'dynreacavgwindowlen' : 'avgwindowlen']:
        control.averageWindowS > 0 ? control.averageWindowS : undefined,
      refreactivepower: REFERENCES.var[control.varReference],
      voltwattyaxis: REFERENCES.watt[control.wattReference],
      deltaQ_factor: control.varStepFactor,
      deltaP_factor: control.wattStepFactor,
      voltagechangetolerance: control.voltageTolerancePu,
      varchangetolerance: control.varTolerancePu,
      activepchangetolerance: control.wattTolerancePu,
      dbvmin: dynamic?.deadbandLowPu,
      dbvmax: dynamic?.deadbandHighPu,
      argralowv: dynamic?.slopeLow,
      argrahiv: dynamic?.slopeHigh,
      monbus: monitored === undefined ? undefined : list(monitored.map(({ bus, nodes }) => script.at({ bus, nodes }))),
      monbusesvbase: monitored === undefined ? undefined : list(monitored.map(({ baseV }) => baseV)),
      monvoltagecalc: phase ?? String(control.monitoredPhase),
      enabled,
    }),
  );
}
