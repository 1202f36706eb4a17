/**
 * PV systems, batteries and machines. A PV system whose power its inverter can give is a PVSystem, a battery with energy a
 * Storage; all else, and what is spread unevenly over the phases, is a Generator of constant power, which solves equal.
 */
import type { Battery, Der, Inverter, Machine, PhotovoltaicSystem } from '../../model/index.js';
import { newObject, num, type Properties, yesNo } from './command.js';
import type { DssScriptText } from './script.js';
import { type ShareGroup, shareGroups } from './share-group.js';

const KILO = 1000;
/** Room between an inverter's rating and the power it is written with, so that rounding does not limit it. */
const ROUNDING = 1 + 1e-9;

/** One phase in delta: a third of its admittance, unless its current is limited, which then stands in its window. */
function isThird(der: Der): boolean {
  const isLimited = der.kind === 'pv' && der.inverter?.isCurrentLimited === true;
  return der.admittanceShare !== undefined && !isLimited;
}

/** Where and at which voltage; the window outside which the unit is an impedance. */
function place(script: DssScriptText, der: Der, group: ShareGroup): Properties {
  return {
    bus1: script.at({ bus: der.terminal.bus, nodes: group.nodes }),
    phases: group.phases,
    conn: group.connection === 'delta' || isThird(der) ? 'delta' : undefined,
    kv: group.kv,
    vminpu: der.minVoltagePu,
    vmaxpu: der.maxVoltagePu,
  };
}

function curve(script: DssScriptText, name: string | undefined): string | undefined {
  return name === undefined ? undefined : script.names.name('XYcurve', name.toLowerCase(), name);
}

/** What an inverter does with its rating. */
function inverterProperties(script: DssScriptText, inverter: Inverter): Properties {
  const { reactive } = inverter;
  return {
    kVA: inverter.ratedVA / KILO,
    kvarmax: inverter.maxVar / KILO,
    kvarmaxabs: inverter.minVar / KILO,
    ...(reactive.by === 'powerFactor' ? { pf: reactive.powerFactor } : { kvar: reactive.powerVar / KILO }),
    wattpriority: yesNo(inverter.priority === 'watt'),
    pfpriority: inverter.priority === 'powerFactor' ? yesNo(true) : undefined,
    '%cutin': inverter.cutInPct,
    '%cutout': inverter.cutOutPct,
    varfollowinverter: yesNo(inverter.varFollowsInverter),
    '%pminnovars': inverter.leastPowerForVarPct > 0 ? inverter.leastPowerForVarPct : undefined,
    '%pminkvarmax': inverter.leastPowerForAllVarPct > 0 ? inverter.leastPowerForAllVarPct : undefined,
    effcurve: curve(script, inverter.efficiency?.name),
    limitcurrent: inverter.isCurrentLimited ? yesNo(true) : undefined,
  };
}

/** An inverter of which only the rating is known: it gives the power it is told. */
function plainInverter(ratedVA: number, powerVar: number): Properties {
  const kva = ratedVA / KILO;
  return {
    ...{ kVA: kva, kvarmax: kva, kvarmaxabs: kva, kvar: powerVar / KILO },
    ...{ '%cutin': 0, '%cutout': 0, varfollowinverter: yesNo(false) },
  };
}

/** A PV system. */
export function writePhotovoltaic(script: DssScriptText, pv: PhotovoltaicSystem): void {
  const [group, ...others] = shareGroups(pv.shares);
  if (!group) return;
  const { panel, inverter } = pv;
  const ratedVA = Math.max(pv.ratedPowerVA, 0);
  const isWithin = group.powerW >= 0 && Math.hypot(group.powerW, group.powerVar) <= ratedVA * ROUNDING;
  if (others.length > 0 || !(isWithin || (panel && inverter))) {
    writeConstantPower(script, pv);
    return;
  }
  const topW = Math.max(pv.maxPowerW, group.powerW, 1);
  const temperature = (name: string | undefined) =>
    name === undefined ? undefined : script.names.name('TShape', name.toLowerCase(), name);
  const name = script.element('PVSystem', pv);
  script.add(
    newObject('PVSystem', name, {
      ...place(script, pv, group),
      model: pv.model,
      ...(panel
        ? {
            pmpp: panel.maxPowerPointW / KILO,
            irradiance: panel.isCutOut ? 0 : panel.irradiance,
            '%pmpp': panel.maxPowerPointPct,
            temperature: panel.temperatureC,
            'P-Tcurve': curve(script, panel.temperatureFactor?.name),
            Tdaily: temperature(panel.temperatureProfiles?.daily),
            Tyearly: temperature(panel.temperatureProfiles?.yearly),
            Tduty: temperature(panel.temperatureProfiles?.duty),
          }
        : { pmpp: topW / KILO, irradiance: group.powerW / topW }),
      ...(inverter
        ? inverterProperties(script, inverter)
        : plainInverter(Math.max(ratedVA, Math.hypot(group.powerW, group.powerVar)) * ROUNDING, group.powerVar)),
      ...script.profiles(pv.profiles),
    }),
  );
  // from darkness it must reach its cut-in, as it must here
  if (panel?.isCutOut) script.add(`PVSystem.${name}.irradiance=${num(panel.irradiance)}`);
}

/** A battery. */
export function writeBattery(script: DssScriptText, battery: Battery): void {
  const [group, ...others] = shareGroups(battery.shares);
  if (!group) return;
  const { cell, inverter } = battery;
  const powerW = Math.abs(group.powerW);
  const ratedW = Math.max(battery.maxPowerW, battery.maxChargeW);
  const ratedVA = Math.max(battery.ratedPowerVA, 0);
  const isDischarging = group.powerW > 0;
  // of a unit with a cell OpenDSS works out itself that it is full or empty, and idles
  const hasEnergy =
    cell !== undefined || (isDischarging ? battery.storedEnergyWh > 0 : battery.storedEnergyWh < battery.ratedEnergyWh);
  const isWithin = powerW <= ratedW * ROUNDING && Math.hypot(powerW, group.powerVar) <= ratedVA * ROUNDING;
  if (others.length > 0 || !(battery.ratedEnergyWh > 0) || !(hasEnergy || powerW === 0) || !isWithin) {
    writeConstantPower(script, battery);
    return;
  }
  const rate = ratedW > 0 ? (100 * powerW) / ratedW : 0;
  script.add(
    newObject('Storage', script.element('Storage', battery), {
      ...place(script, battery, group),
      model: battery.model,
      kwrated: ratedW / KILO,
      kwhrated: battery.ratedEnergyWh / KILO,
      kwhstored: battery.storedEnergyWh / KILO,
      '%reserve': cell?.reservePct ?? 0,
      '%effcharge': cell?.chargeEfficiencyPct ?? 100,
      '%effdischarge': cell?.dischargeEfficiencyPct ?? 100,
      '%idlingkw': cell?.idlingLossPct ?? 0,
      ...(inverter ? inverterProperties(script, inverter) : plainInverter(ratedVA * ROUNDING, group.powerVar)),
      '%charge': cell?.chargeRatePct ?? (isDischarging ? 100 : rate),
      '%discharge': cell?.dischargeRatePct ?? (isDischarging ? rate : 100),
      state: cell?.state ?? (powerW === 0 ? 'idling' : isDischarging ? 'discharging' : 'charging'),
      dispmode: cell === undefined || cell.dispatch === 'default' ? undefined : cell.dispatch,
      chargetrigger: cell?.chargeTrigger,
      dischargetrigger: cell?.dischargeTrigger,
      timechargetrig: cell?.chargeStartHour,
      ...script.profiles(battery.profiles),
    }),
  );
}

/** A machine. */
export function writeMachine(script: DssScriptText, machine: Machine): void {
  if (machine.isCurrentConstant && writeCurrent(script, machine)) return;
  writeConstantPower(script, machine);
}

/** A current of constant size as VCCS; false, with a finding, where OpenDSS has none: vars, a return other than ground. */
function writeCurrent(script: DssScriptText, machine: Machine): boolean {
  const { shares } = machine;
  const isCarried = shares.every(({ otherNode, powerVar }) => otherNode === 0 && powerVar === 0);
  if (!isCarried) {
    const message = `The current of machine ${machine.name} is written as a generator of its power at rated voltage; a VCCS gives no vars and returns at ground.`;
    script.notCarried(machine, 'VCCS', 'isCurrentConstant', message);
    return false;
  }
  const name = script.names.name('VCCS', machine.id, machine.name);
  shares.forEach(({ node, ratedVoltageV, powerW }, k) => {
    const own = shares.length === 1 ? name : script.names.name('VCCS', `${machine.id} ${k}`, `${name}_${k + 1}`);
    script.add(
      newObject('VCCS', own, {
        bus1: script.at({ bus: machine.terminal.bus, nodes: [node] }),
        phases: 1,
        prated: powerW,
        vrated: ratedVoltageV,
        ppct: 100,
      }),
    );
  });
  return true;
}

/** Any generation as generators that hold their power. */
function writeConstantPower(script: DssScriptText, der: Der): void {
  const machine = der.kind === 'machine' ? der : undefined;
  if (der.kind !== 'machine') {
    const message = `The ${der.kind} ${der.name} is written as a generator of the same power; OpenDSS has no ${der.kind === 'pv' ? 'PVSystem' : 'Storage'} with its powers and ratings.`;
    script.notCarried(der, der.kind === 'pv' ? 'PVSystem' : 'Storage', 'shares', message, 'info');
  }
  const name = script.names.name('Generator', der.id, der.name);
  for (const group of shareGroups(der.shares)) {
    const own = group.suffix === '' ? name : script.names.name('Generator', der.id + group.suffix, name + group.suffix);
    const isHeld = machine?.model === 3;
    script.add(
      newObject('Generator', own, {
        ...place(script, der, group),
        kVA: der.ratedPowerVA > 0 ? (der.ratedPowerVA / der.shares.length / KILO) * group.shares.length : undefined,
        model: der.model ?? 1,
        kw: group.powerW / KILO,
        kvar: group.powerVar / KILO,
        vpu: isHeld ? machine?.voltageTargetPu : undefined,
        maxkvar: isHeld && machine?.maxVar !== undefined ? machine.maxVar / KILO : undefined,
        minkvar: isHeld && machine?.minVar !== undefined ? machine.minVar / KILO : undefined,
        status: machine?.isFixed ? 'fixed' : undefined,
        ...script.profiles(machine?.profiles),
      }),
    );
  }
}
