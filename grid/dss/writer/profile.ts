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
            mult: list(profile.values),
            qmult: profile.reactiveValues === undefined ? undefined : list(profile.reactiveValues),
            useactual: profile.isActual ? yesNo(true) : undefined,
          }),
    }),
  );
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
      avgwindowlen: control.averageWindowS > 0 ? control.averageWindowS : undefined,
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
