/*
 * Objects that mean something only as a part of another one: phases of equipment, ends of transformers, cells of matrices,
 * tests, units. A part whose whole is not told or is of the wrong class would drop out of the model; it is named here.
 * Powers of phases that no element took are named with their sum, so that nothing a file says is lost silently.
 */

import type { CimObject } from './cim-object.js';
import { decimalOf } from './decimal.js';
import type { CimEquipment } from './equipment.js';
import { MACHINE_CLASSES } from './generation.js';
import { LOAD_CLASSES } from './load.js';
import { isSecondaryPhase, memberOf, nodeOfPhase, phasesOf } from './phase.js';
import { SOURCE_CLASSES } from './source.js';
import { SWITCH_CLASSES } from './switch.js';

interface Parentage {
  /** Classes of the part. */
  readonly of: readonly string[];
  /** Links from the part to its whole, of which it needs one. */
  readonly by: readonly string[];
  /** Classes of the whole; any when absent. */
  readonly to?: readonly string[];
  /** Links from the whole to the part, which do as well. */
  readonly from?: readonly string[];
  /** A part without effect on the power flow is a `warning`. */
  readonly severity?: 'warning';
}

const INFO_ENDS = ['TransformerEndInfo'];
const MESH_ENDS = ['PowerTransformerEnd', 'TransformerTankEnd', 'TransformerEndInfo'];
const ENDS = ['PowerTransformerEnd', 'TransformerTankEnd'];

const TABLE: readonly Parentage[] = [
  { of: ['ACLineSegmentPhase'], by: ['ACLineSegmentPhase.ACLineSegment'], to: ['ACLineSegment'] },
  { of: ['EnergyConsumerPhase'], by: ['EnergyConsumerPhase.EnergyConsumer'], to: LOAD_CLASSES },
  { of: ['EnergySourcePhase'], by: ['EnergySourcePhase.EnergySource'], to: SOURCE_CLASSES },
  {
    of: ['PowerElectronicsConnectionPhase'],
    by: ['PowerElectronicsConnectionPhase.PowerElectronicsConnection'],
    to: ['PowerElectronicsConnection'],
  },
  {
    of: ['LinearShuntCompensatorPhase'],
    by: ['ShuntCompensatorPhase.ShuntCompensator'],
    to: ['LinearShuntCompensator'],
  },
  { of: ['SwitchPhase'], by: ['SwitchPhase.Switch'], to: SWITCH_CLASSES },
  { of: ['PhaseImpedanceData'], by: ['PhaseImpedanceData.PhaseImpedance'], to: ['PerLengthPhaseImpedance'] },
  { of: ['WirePosition'], by: ['WirePosition.WireSpacingInfo'], to: ['WireSpacingInfo'] },
  { of: ['PowerTransformerEnd'], by: ['PowerTransformerEnd.PowerTransformer'], to: ['PowerTransformer'] },
  { of: ['TransformerTankEnd'], by: ['TransformerTankEnd.TransformerTank'], to: ['TransformerTank'] },
  { of: ['TransformerTank'], by: ['TransformerTank.PowerTransformer'], to: ['PowerTransformer'] },
  { of: ['TransformerEndInfo'], by: ['TransformerEndInfo.TransformerTankInfo'], to: ['TransformerTankInfo'] },
  { of: ['ShortCircuitTest'], by: ['ShortCircuitTest.EnergisedEnd'], to: INFO_ENDS },
  { of: ['ShortCircuitTest'], by: ['ShortCircuitTest.GroundedEnds'], to: INFO_ENDS },
  { of: ['NoLoadTest'], by: ['NoLoadTest.EnergisedEnd'], to: INFO_ENDS },
  {
    of: ['TransformerMeshImpedance'],
    by: ['TransformerMeshImpedance.FromTransformerEnd', 'TransformerMeshImpedance.FromTransformerEndInfo'],
    to: MESH_ENDS,
  },
  {
    of: ['TransformerMeshImpedance'],
    by: ['TransformerMeshImpedance.ToTransformerEnd', 'TransformerMeshImpedance.ToTransformerEndInfos'],
    to: MESH_ENDS,
  },
  {
    of: ['TransformerCoreAdmittance'],
    by: ['TransformerCoreAdmittance.TransformerEnd', 'TransformerCoreAdmittance.TransformerEndInfo'],
    from: ['TransformerEnd.CoreAdmittance', 'TransformerEndInfo.CoreAdmittance'],
    to: MESH_ENDS,
  },
  {
    of: ['TransformerStarImpedance'],
    by: ['TransformerStarImpedance.TransformerEnd', 'TransformerStarImpedance.TransformerEndInfo'],
    from: ['TransformerEnd.StarImpedance', 'TransformerEndInfo.TransformerStarImpedance'],
    to: MESH_ENDS,
  },
  {
    of: ['RatioTapChanger'],
    by: ['RatioTapChanger.TransformerEnd'],
    from: ['TransformerEnd.RatioTapChanger'],
    to: ENDS,
  },
  {
    of: ['PhotovoltaicUnit', 'BatteryUnit'],
    by: ['PowerElectronicsUnit.PowerElectronicsConnection'],
    from: ['PowerElectronicsConnection.PowerElectronicsUnit'],
    to: ['PowerElectronicsConnection'],
  },
  { of: ['Terminal'], by: ['Terminal.ConductingEquipment'] },
  {
    of: ['TapChangerControl'],
    by: ['TapChangerControl.TapChanger'],
    from: ['TapChanger.TapChangerControl'],
    severity: 'warning',
  },
  {
    of: ['RegulatingControl'],
    by: ['RegulatingControl.RegulatingCondEq'],
    from: ['RegulatingCondEq.RegulatingControl'],
    to: [
      ...['LinearShuntCompensator', 'NonlinearShuntCompensator', 'StaticVarCompensator', 'PowerElectronicsConnection'],
      ...['FrequencyConverter', ...MACHINE_CLASSES, ...SOURCE_CLASSES],
    ],
    severity: 'warning',
  },
  {
    of: ['CurrentLimit', 'VoltageLimit'],
    by: ['OperationalLimit.OperationalLimitSet'],
    to: ['OperationalLimitSet'],
    severity: 'warning',
  },
];

/** Links that parts have to their wholes. */
export const PARENT_LINKS: readonly string[] = TABLE.flatMap(({ by, from }) => [...by, ...(from ?? [])]);

function hasWhole(
  eq: CimEquipment,
  object: CimObject,
  by: readonly string[],
  to: readonly string[] | undefined,
): boolean {
  for (const link of by) {
    if (object.linkPlace(link) < 0) continue;
    const only = object.linked(link);
    if (only && (to === undefined || to.includes(only.className))) return true;
    for (const id of object.targets(link)) {
      const whole = eq.index.objects.get(id);
      if (whole && (to === undefined || to.includes(whole.className))) return true;
    }
  }
  return false;
}

/** Names every part without the whole it belongs to. A link to an object that the input lacks is named elsewhere. */
export function nameOrphans(eq: CimEquipment): void {
  for (const { of, by, to, from, severity } of TABLE) {
    const parts = of.flatMap((className) => eq.index.byClass(className));
    for (let k = 0; k < parts.length; k++) {
      const object = parts[k]!;
      if (from?.some((link) => eq.index.referrersOf(object, link).length > 0)) continue;
      if (hasWhole(eq, object, by, to)) continue;
      const targets = by.flatMap((link) => object.targets(link));
      const wholes = targets.flatMap((id) => eq.index.objects.get(id) ?? []);
      const isDangling = wholes.length < targets.length;
      // What is dangling has an error of its own.
      if (isDangling && severity === undefined) continue;
      const [wrong] = wholes;
      const written = by.find((link) => object.kindOf(link) !== undefined);
      const isText = written !== undefined && object.kindOf(written) !== 'reference';
      const attribute = written ?? by[0]!;
      const fact = isDangling
        ? `${attribute} refers to an object that the input lacks`
        : wrong
          ? `${attribute} leads to a ${wrong.className}`
          : isText
            ? `${attribute} is a text, not a link (rdf:resource)`
            : `${attribute} is absent`;
      const effect = 'the object belongs to nothing and is left out.';
      const value = wrong ? wrong.mrid : isText || isDangling ? (object.get(attribute) ?? '') : undefined;
      eq.orphans.add(object);
      eq.findings.add(severity ?? 'error', 'ORPHAN', object, `${fact}: ${effect}`, {
        attribute,
        ...(value === undefined ? {} : { value }),
        allowed: to === undefined ? 'a link to equipment' : `a link to a ${to.slice(0, 3).join(', ')}`,
      });
    }
  }
}

/** Phase objects whose quantities belong to a device: link to it, phase, quantities. */
const PHASES = [
  ['EnergyConsumerPhase', 'EnergyConsumerPhase.EnergyConsumer', 'EnergyConsumerPhase.phase'],
  [
    'PowerElectronicsConnectionPhase',
    'PowerElectronicsConnectionPhase.PowerElectronicsConnection',
    'PowerElectronicsConnectionPhase.phase',
  ],
  ['ACLineSegmentPhase', 'ACLineSegmentPhase.ACLineSegment', 'ACLineSegmentPhase.phase'],
  ['LinearShuntCompensatorPhase', 'ShuntCompensatorPhase.ShuntCompensator', 'ShuntCompensatorPhase.phase'],
  ['SwitchPhase', 'SwitchPhase.Switch', 'SwitchPhase.phaseSide1'],
  ['EnergySourcePhase', 'EnergySourcePhase.EnergySource', 'EnergySourcePhase.phase'],
] as const;

/** Names phases that stand twice in one device. */
export function nameRepeatedPhases(eq: CimEquipment): void {
  for (const [className, link, attribute] of PHASES) {
    const seen = new Map<number, CimObject>();
    const objects = eq.index.byClass(className);
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
      const owner = object.linkNumber(link);
      const phase = phasesOf(object.get(attribute))[0];
      if (owner < 0 || phase === undefined || phase === 'N') continue;
      const key = 8 * owner + nodeOfPhase(phase) + (isSecondaryPhase(phase) ? 4 : 0);
      const first = seen.get(key);
      if (!first) {
        seen.set(key, object);
        continue;
      }
      eq.findings.add('error', 'PHASE_MISMATCH', object, `Its device has a second ${className} of the same phase.`, {
        ...{ attribute, value: phase, allowed: `a phase other than that of ${first.mrid}` },
      });
    }
  }
}

/** 1 for a code with phases A, B or C, 2 for one with s1 or s2, 0 for one without either. */
function phaseKind(code: string): number {
  let kind = 0;
  for (const phase of phasesOf(code)) {
    if (isSecondaryPhase(phase)) return 2;
    if (phase !== 'N') kind = 1;
  }
  return kind;
}

/** Calls back with each object that has a phase and the number of each bus it stands at; windings have their own terminal. */
function eachPlaced(eq: CimEquipment, visit: (bus: number, object: CimObject, attribute: string) => void): void {
  const { index } = eq;
  for (const [className, link, attribute] of PHASES) {
    const objects = index.byClass(className);
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
      const owner = object.linked(link);
      if (!owner) continue;
      const terminals = eq.terminals(owner);
      for (let t = 0; t < terminals.length; t++) {
        const bus = eq.busNumberOf(terminals[t]);
        if (bus >= 0) visit(bus, object, attribute);
      }
    }
  }
  const ordered = 'TransformerTankEnd.orderedPhases';
  const ends = index.byClass('TransformerTankEnd');
  for (let k = 0; k < ends.length; k++) {
    const end = ends[k]!;
    const bus = eq.busNumberOf(end.linked('TransformerEnd.Terminal'));
    if (bus >= 0) visit(bus, end, end.kindOf(ordered) ? ordered : 'TransformerTankEnd.phases');
  }
}

/** Names phases s1 and s2 where others are A, B or C, and the other way round: no bus is of both kinds. */
export function nameMixedPhases(eq: CimEquipment): void {
  const { index } = eq;
  const known = new Map<string, number>();
  const kindOf = (object: CimObject, attribute: string) => {
    const place = object.placeOf(attribute);
    const code = place < 0 ? '' : object.valueAt(place);
    let kind = known.get(code);
    if (kind === undefined) {
      kind = phaseKind(code);
      known.set(code, kind);
    }
    return kind;
  };
  const kindsAt = new Uint8Array(index.ids.size);
  let isMixed = false;
  eachPlaced(eq, (bus, object, attribute) => {
    const before = kindsAt[bus]!;
    const kinds = before | kindOf(object, attribute);
    if (kinds === before) return;
    kindsAt[bus] = kinds;
    if (kinds === 3) isMixed = true;
  });
  if (!isMixed) return;
  const atBus = new Map<number, { primary: [CimObject, string][]; secondary: [CimObject, string][] }>();
  eachPlaced(eq, (bus, object, attribute) => {
    const kind = kindOf(object, attribute);
    if (kind === 0) return;
    let kinds = atBus.get(bus);
    if (!kinds) {
      kinds = { primary: [], secondary: [] };
      atBus.set(bus, kinds);
    }
    kinds[kind === 2 ? 'secondary' : 'primary'].push([object, attribute]);
  });
  for (const { primary, secondary } of atBus.values()) {
    if (primary.length === 0 || secondary.length === 0) continue;
    const isSecondaryWrong = secondary.length <= primary.length;
    for (const [object, attribute] of isSecondaryWrong ? secondary : primary) {
      const value = memberOf(object.peek(eq.index.attributeCode(attribute)));
      const fact = 'Its phase does not fit its bus, where the others are of the other kind.';
      eq.findings.add('error', 'PHASE_MISMATCH', object, fact, {
        ...{ attribute, value, allowed: isSecondaryWrong ? 'A, B, C' : 's1, s2' },
      });
    }
  }
}

const POWERS = ['p', 'q', 'pfixed', 'qfixed'] as const;

/**
 * Names the powers of phase objects that went into no element, with their sum.
 *
 * @param isUsed - whether an element was made of the device with this id
 */
export function nameLostPowers(eq: CimEquipment, isUsed: (id: string) => boolean): void {
  for (const [className, link] of PHASES.slice(0, 2)) {
    const lost: CimObject[] = [];
    const sums = { p: 0, q: 0 };
    for (const object of eq.index.byClass(className)) {
      if (eq.isPlacedPhase(object)) continue;
      const owner = object.ref(link);
      const device = owner === undefined ? undefined : eq.index.objects.get(owner);
      // A device that is out of service, or left out with a finding of its own, takes its phases with it.
      if (device && [...LOAD_CLASSES, ...MACHINE_CLASSES, 'PowerElectronicsConnection'].includes(device.className)) {
        if (!isUsed(device.id)) continue;
      }
      const [p, q, pFixed, qFixed] = POWERS.map((letter) => decimalOf(object.get(`${className}.${letter}`) ?? ''));
      const [powerW, powerVar] = [p ?? pFixed ?? 0, q ?? qFixed ?? 0];
      if (powerW === 0 && powerVar === 0) continue;
      lost.push(object);
      sums.p += powerW;
      sums.q += powerVar;
    }
    const [first] = lost;
    if (!first) continue;
    eq.findings.addGroup('error', 'LOST_POWER', first, lost.length, {
      message: `The powers of ${lost.length} ${className} go into no element: ${sums.p} W and ${sums.q} var in sum.`,
      attribute: `${className}.p`,
      value: String(sums.p),
      allowed: 'the phase of a device of the input',
    });
  }
}
