/** Capacitor banks and their controls. Banks whose shares differ are one element each share, switched together. */
import type { Capacitor, CapacitorControl } from '../../model/index.js';
import { list, newObject, yesNo } from './command.js';
import type { DssScriptText } from './script.js';
import { type ShareGroup, shareGroups } from './share-group.js';

/** Elements a bank is written as. */
function groups(capacitor: Capacitor): readonly ShareGroup[] {
  const total = capacitor.shares.reduce((sum, { powerVar }) => sum + Math.abs(powerVar), 0);
  const count = capacitor.shares.length;
  const together = shareGroups(
    capacitor.shares.map((share) => ({
      ...share,
      powerW: 0,
      powerVar: Math.abs(capacitor.sectionVar) * (total > 0 ? Math.abs(share.powerVar) / total : 1 / count),
    })),
  );
  const areSectionsAlike = capacitor.sectionsOn.every((on) => on === capacitor.sectionsOn[0]);
  if (areSectionsAlike || together.length > 1) return together;
  return capacitor.shares.flatMap((share, k) =>
    shareGroups([{ ...share, powerVar: together[0]!.powerVar / count }]).map((group) => ({
      ...group,
      suffix: `_${k + 1}`,
      shares: [k],
    })),
  );
}

/** A bank with the sections that are in service, and its control. */
export function writeCapacitor(script: DssScriptText, capacitor: Capacitor): void {
  const name = script.element('Capacitor', capacitor);
  for (const group of groups(capacitor)) {
    const own =
      group.suffix === '' ? name : script.names.name('Capacitor', capacitor.id + group.suffix, name + group.suffix);
    const on = capacitor.sectionsOn[group.shares[0]!] ?? 0;
    const isDelta = group.connection === 'delta' || (group.phases === 1 && group.nodes.length > 1);
    const controls = [capacitor.control ?? [], capacitor.otherControls ?? []].flat();
    // OpenDSS counts the first steps of a delta bank again with each further one: a fixed one is written as one step
    const isMerged = isDelta && controls.length === 0 && capacitor.sectionCount > 1;
    const merged = on > 0 ? on : capacitor.sectionCount;
    const count = isMerged ? 1 : Math.max(1, capacitor.sectionCount);
    const stepVar = isMerged ? group.powerVar * merged : group.powerVar;
    if (isDelta && count > 1) {
      const message = `The sections of capacitor ${capacitor.name} are in delta: OpenDSS counts the first again with each further one.`;
      script.notCarried(capacitor, 'Capacitor', 'sectionCount', message);
    }
    script.add(
      newObject('Capacitor', own, {
        bus1: script.at({ bus: capacitor.terminal.bus, nodes: group.nodes }),
        phases: group.phases,
        conn: isDelta ? 'delta' : undefined,
        kv: group.kv,
        numsteps: count > 1 ? count : undefined,
        kvar: list(new Array<number>(count).fill(stepVar / 1000)),
        states: list(Array.from({ length: count }, (_, step) => (step < on ? 1 : 0))),
      }),
    );
    controls.forEach((control, k) => {
      writeControl(script, capacitor, control, own, k === 0 ? own : `${own}_${k + 1}`);
    });
  }
}

/** OpenDSS' type of each mode, and the factor from the model's unit to OpenDSS'. */
const TYPES = {
  voltage: { type: 'voltage', unit: 1, isRising: false },
  reactivePower: { type: 'kvar', unit: 1e-3, isRising: true },
  currentFlow: { type: 'current', unit: 1, isRising: true },
  timeScheduled: { type: 'time', unit: 1, isRising: true },
  powerFactor: { type: 'pf', unit: 1, isRising: false },
} as const;

/** OpenDSS' word or number for each phase that a control may watch. */
const PHASES: Readonly<Record<string, number | string>> = {
  A: 1,
  B: 2,
  C: 3,
  s1: 1,
  s2: 2,
  average: 'avg',
  max: 'max',
  min: 'min',
};

/** Power factors above 1 are leading here, negative there. */
function powerFactor(value: number): number {
  return value > 1 ? value - 2 : value;
}

function writeControl(
  script: DssScriptText,
  capacitor: Capacitor,
  control: CapacitorControl,
  bank: string,
  name: string,
): void {
  const { type, unit, isRising } = TYPES[control.mode];
  const half = control.deadband / 2;
  const sign = isRising ? 1 : -1;
  let on = (control.target + sign * half) * unit;
  let off = (control.target - sign * half) * unit;
  if (control.mode === 'powerFactor') {
    on = powerFactor(on);
    off = powerFactor(off);
  } else if (control.mode === 'timeScheduled' && control.schedule) {
    on = control.schedule.onHour;
    off = control.schedule.offHour;
  }
  const override = control.voltageOverride;
  const phase = (label: string | undefined) => PHASES[label ?? control.monitoredPhase ?? ''];
  script.add(
    newObject('CapControl', script.names.name('CapControl', name, name), {
      capacitor: bank,
      element: watched(script, capacitor, control, bank),
      terminal: control.monitoredTerminal,
      type,
      ptratio: 1,
      ctratio: 1,
      ptphase: phase(control.voltagePhase),
      ctphase: phase(control.currentPhase),
      vbus: control.voltageBus && script.at(control.voltageBus),
      onsetting: on,
      offsetting: off,
      delay: control.delayS,
      delayoff: control.delayOffS ?? control.delayS,
      deadtime: control.deadTimeS,
      pctMinkvar: control.leastVarPct,
      voltoverride: override ? yesNo(true) : undefined,
      vmin: override?.minV,
      vmax: override?.maxV,
      enabled: control.isEnabled ? undefined : yesNo(false),
    }),
  );
}

/** The element a control watches as `class.name`; the bank itself when it is none that OpenDSS can watch. */
function watched(script: DssScriptText, capacitor: Capacitor, control: CapacitorControl, bank: string): string {
  const id = control.monitoredElementId;
  if (id === undefined || id === capacitor.id) return `Capacitor.${bank}`;
  const element = script.feeder.elements.get(id);
  const kinds: Readonly<Record<string, string>> = {
    line: 'Line',
    switch: 'Line',
    reactor: 'Reactor',
    capacitor: 'Capacitor',
    load: 'Load',
  };
  const transformer = script.feeder.transformers.find((t) => t.id === id);
  if (transformer) {
    const className = transformer.construction === 'auto' ? 'AutoTrans' : 'Transformer';
    return `${className}.${script.element(className, transformer)}`;
  }
  const className = element && kinds[element.kind];
  if (element && className) return `${className}.${script.element(className, element)}`;
  const message = `Capacitor ${capacitor.name} watches ${id}, which is no element that OpenDSS can watch; it watches itself instead.`;
  script.notCarried(capacitor, 'CapControl', 'monitoredElementId', message);
  return `Capacitor.${bank}`;
}
