/*
 * Links that lead to more objects than they may, and parts of which their whole may have one. A second target would be taken
 * or left silently: the phase of two loads would count twice, the line of two catalogue entries once.
 *
 * Which links have several targets follows from CIM's names: the end of an association that may is in the plural, or is a
 * part called after its whole (`EnergyConsumer.EnergyConsumerPhase`). A few of old are neither.
 */

import type { CimObject } from './cim-object.js';
import type { CimEquipment } from './equipment.js';

/** Links in the singular that may have several targets (IEC 61970-301, 61968-11, 61970-552). */
const SEVERAL: ReadonlySet<string> = new Set([
  ...['ACDCTerminal.OperationalLimitSet', 'ConnectivityNode.OperationalLimitSet', 'Equipment.OperationalLimitSet'],
  ...['Equipment.AdditionalEquipmentContainer', 'Feeder.NamingSecondarySubstation', 'Feeder.NormalHeadTerminal'],
  ...['Feeder.NormalEnergizingSubstation', 'Feeder.NormalEnergizedSubstation', 'Model.DependentOn', 'Model.Supersedes'],
  ...['PowerSystemResource.ReportingGroup', 'RegulatingControl.RegulatingCondEq', 'TapChangerControl.TapChanger'],
  ...['TransformerMeshImpedance.ToTransformerEnd', 'TransformerCoreAdmittance.TransformerEnd'],
  ...['TransformerStarImpedance.TransformerEnd', 'BaseVoltage.ConductingEquipment', 'BaseVoltage.TransformerEnd'],
  ...['TopologicalNode.Terminal', 'OperationalLimitSet.OperationalLimitValue', 'PowerTransformer.PowerTransformerEnd'],
  ...['PerLengthPhaseImpedance.PhaseImpedanceData', 'PerLengthPhaseImpedance.ACLineSegment'],
]);
/** Whether an association may have several targets at its far end. */
function mayBeSeveral(attribute: string): boolean {
  const point = attribute.indexOf('.');
  const [owner, role] = [attribute.slice(0, point), attribute.slice(point + 1)];
  if (SEVERAL.has(attribute)) return true;
  if (role.endsWith('s') && !role.endsWith('ss')) return true;
  return ['Phase', 'End', 'Data'].some((part) => role === owner + part);
}

/** What an object is called in a finding: name and mRID. */
function told(object: CimObject | undefined, id: string): string {
  if (!object) return id;
  return object.name === '' ? object.mrid : `${object.name} (${object.mrid})`;
}

/**
 * Names links with more targets than they may have, all of them by name.
 *
 * @param isNeeded - whether the model makes something of a link: what is meant has to be known then
 */
export function nameSecondTargets(eq: CimEquipment, isNeeded: (attribute: string) => boolean): void {
  const isSingle = new Map<number, boolean>();
  const first = new Map<number, string>();
  const doubled = new Set<number>();
  for (const object of eq.index.objectsWith((list) => list.hasRepeats)) {
    if (!object.keyList.hasRepeats) continue;
    first.clear();
    doubled.clear();
    object.eachReference((code, target) => {
      const known = first.get(code);
      if (known === undefined) first.set(code, target);
      else if (known !== target) doubled.add(code);
    });
    for (const code of doubled) {
      const attribute = eq.index.attributeName(code);
      let single = isSingle.get(code);
      if (single === undefined) {
        single = !mayBeSeveral(attribute);
        isSingle.set(code, single);
      }
      if (!single) continue;
      const targets = [...new Set(object.targets(attribute))];
      const severity = isNeeded(attribute) ? 'error' : 'warning';
      const message = `${attribute} leads to ${targets.length} objects where one is possible; which is meant is not known.`;
      eq.findings.add(severity, 'CONFLICTING_VALUE', object, message, {
        attribute,
        value: targets.map((id) => told(eq.index.objects.get(id), id)).join(', '),
        allowed: 'one target',
      });
    }
  }
}

/** A part of which a whole may have one: links from the part to the whole, and back. */
interface OnlyPart {
  readonly what: string;
  readonly part: readonly string[];
  readonly by: string;
  readonly from: string;
  readonly severity: 'error' | 'warning';
}

const ONLY_PARTS: readonly OnlyPart[] = [
  {
    ...{ what: 'tap changers', part: ['RatioTapChanger'], severity: 'error' },
    ...{ by: 'RatioTapChanger.TransformerEnd', from: 'TransformerEnd.RatioTapChanger' },
  },
  {
    ...{ what: 'controls', part: ['TapChangerControl'], severity: 'error' },
    ...{ by: 'TapChangerControl.TapChanger', from: 'TapChanger.TapChangerControl' },
  },
  {
    ...{ what: 'controls, of which the first acts', part: ['RegulatingControl'], severity: 'warning' },
    ...{ by: 'RegulatingControl.RegulatingCondEq', from: 'RegulatingCondEq.RegulatingControl' },
  },
];

/** Names wholes with two parts of which they may have one: tap changers of a transformer end, controls of a tap changer. */
export function nameSecondParts(eq: CimEquipment): void {
  for (const { what, part, by, from, severity } of ONLY_PARTS) {
    const owned = new Map<string, Set<CimObject>>();
    const note = (whole: string, object: CimObject) => {
      const parts = owned.get(whole);
      if (parts) parts.add(object);
      else owned.set(whole, new Set([object]));
    };
    for (const object of part.flatMap((className) => eq.index.byClass(className))) {
      for (const whole of object.targets(by)) note(whole, object);
      for (const whole of eq.index.referrersOf(object, from)) note(whole.id, object);
    }
    for (const [id, parts] of owned) {
      const whole = eq.index.objects.get(id);
      if (!whole || parts.size < 2) continue;
      const value = [...parts].map((object) => told(object, object.id)).join(', ');
      const message = `It has ${parts.size} ${what}: ${value}.`;
      eq.findings.add(severity, 'CONFLICTING_VALUE', whole, message, { attribute: by, value, allowed: 'one' });
    }
  }
}
