/*
 * Attributes that are known but not represented in the model, as one table. A value that differs from the neutral one, with
 * which the attribute has no effect, becomes a finding: one for each class and attribute, with the first object and the
 * number of objects. A class without any part in the model is named as a whole elsewhere.
 */

import type { CimObject } from './cim-object.js';
import { decimalOf } from './decimal.js';
import type { CimEquipment } from './equipment.js';
import { memberOf } from './phase.js';

/** A value with which an attribute has no effect: a number, one of some words, or the value of another attribute. */
type Neutral = number | readonly string[] | { readonly sameAs: readonly string[]; readonly of?: string };

interface Unrepresented {
  readonly classes: readonly string[];
  readonly attributes: readonly string[];
  readonly neutral: Neutral;
  /** A `warning` changes the power flow, an `info` only what the model could tell beyond it. */
  readonly severity: 'warning' | 'info';
  /** What the model does instead, as the end of a sentence. */
  readonly why: string;
}

/** Equal to this share counts as the same value: exporters round. */
const SAME_SHARE = 1e-3;

const same = (...sameAs: string[]): Neutral => ({ sameAs });

const TABLE: readonly Unrepresented[] = [
  {
    classes: ['ACLineSegment'],
    attributes: ['ACLineSegment.gch', 'ACLineSegment.g0ch'],
    neutral: 0,
    severity: 'warning',
    why: 'lines have no shunt conductance',
  },
  {
    classes: ['PerLengthSequenceImpedance'],
    attributes: ['PerLengthSequenceImpedance.gch', 'PerLengthSequenceImpedance.g0ch'],
    neutral: 0,
    severity: 'warning',
    why: 'lines have no shunt conductance',
  },
  {
    classes: ['PhaseImpedanceData'],
    attributes: ['PhaseImpedanceData.g'],
    neutral: 0,
    severity: 'warning',
    why: 'lines have no shunt conductance',
  },
  {
    classes: ['WireSpacingInfo'],
    attributes: ['WireSpacingInfo.phaseWireCount'],
    neutral: 1,
    severity: 'warning',
    why: 'bundles are read as one wire for each phase',
  },
  {
    classes: ['WireSpacingInfo'],
    attributes: ['WireSpacingInfo.phaseWireSpacing'],
    neutral: 0,
    severity: 'warning',
    why: 'bundles are read as one wire for each phase',
  },
  {
    classes: ['SeriesCompensator'],
    attributes: ['SeriesCompensator.varistorPresent'],
    neutral: ['false', '0'],
    severity: 'warning',
    why: 'a series compensator is its impedance alone',
  },
  {
    classes: ['LinearShuntCompensator'],
    attributes: ['LinearShuntCompensator.gPerSection', 'LinearShuntCompensator.g0PerSection'],
    neutral: 0,
    severity: 'warning',
    why: 'capacitors have no losses',
  },
  {
    classes: ['LinearShuntCompensatorPhase'],
    attributes: ['LinearShuntCompensatorPhase.gPerSection'],
    neutral: 0,
    severity: 'warning',
    why: 'capacitors have no losses',
  },
  {
    classes: ['LinearShuntCompensator'],
    attributes: ['LinearShuntCompensator.b0PerSection'],
    neutral: { sameAs: ['LinearShuntCompensator.bPerSection'] },
    severity: 'warning',
    why: 'each phase has the susceptance of the positive sequence, to ground where the capacitor is grounded',
  },
  {
    classes: ['EnergySource'],
    attributes: ['EnergySource.rn'],
    neutral: same('EnergySource.r'),
    severity: 'warning',
    why: 'the negative sequence has the impedance of the positive one',
  },
  {
    classes: ['EnergySource'],
    attributes: ['EnergySource.xn'],
    neutral: same('EnergySource.x'),
    severity: 'warning',
    why: 'the negative sequence has the impedance of the positive one',
  },
  {
    classes: ['TransformerMeshImpedance'],
    attributes: ['TransformerMeshImpedance.r0'],
    neutral: same('TransformerMeshImpedance.r'),
    severity: 'warning',
    why: 'three-phase units are three windings of the positive-sequence impedance',
  },
  {
    classes: ['TransformerMeshImpedance'],
    attributes: ['TransformerMeshImpedance.x0'],
    neutral: same('TransformerMeshImpedance.x'),
    severity: 'warning',
    why: 'three-phase units are three windings of the positive-sequence impedance',
  },
  {
    classes: ['TransformerStarImpedance'],
    attributes: ['TransformerStarImpedance.r0'],
    neutral: same('TransformerStarImpedance.r'),
    severity: 'warning',
    why: 'three-phase units are three windings of the positive-sequence impedance',
  },
  {
    classes: ['TransformerStarImpedance'],
    attributes: ['TransformerStarImpedance.x0'],
    neutral: same('TransformerStarImpedance.x'),
    severity: 'warning',
    why: 'three-phase units are three windings of the positive-sequence impedance',
  },
  {
    classes: ['PowerTransformerEnd'],
    attributes: ['PowerTransformerEnd.r0'],
    neutral: same('PowerTransformerEnd.r'),
    severity: 'warning',
    why: 'three-phase units are three windings of the positive-sequence impedance',
  },
  {
    classes: ['PowerTransformerEnd'],
    attributes: ['PowerTransformerEnd.x0'],
    neutral: same('PowerTransformerEnd.x'),
    severity: 'warning',
    why: 'three-phase units are three windings of the positive-sequence impedance',
  },
  {
    classes: ['PowerTransformerEnd'],
    attributes: ['PowerTransformerEnd.g0'],
    neutral: same('PowerTransformerEnd.g'),
    severity: 'warning',
    why: 'the core is the same in all sequences',
  },
  {
    classes: ['PowerTransformerEnd'],
    attributes: ['PowerTransformerEnd.b0'],
    neutral: same('PowerTransformerEnd.b'),
    severity: 'warning',
    why: 'the core is the same in all sequences',
  },
  {
    classes: ['TransformerCoreAdmittance'],
    attributes: ['TransformerCoreAdmittance.g0'],
    neutral: same('TransformerCoreAdmittance.g'),
    severity: 'warning',
    why: 'the core is the same in all sequences',
  },
  {
    classes: ['TransformerCoreAdmittance'],
    attributes: ['TransformerCoreAdmittance.b0'],
    neutral: same('TransformerCoreAdmittance.b'),
    severity: 'warning',
    why: 'the core is the same in all sequences',
  },
  {
    classes: ['ShortCircuitTest'],
    attributes: ['ShortCircuitTest.leakageImpedanceZero'],
    neutral: same('ShortCircuitTest.leakageImpedance'),
    severity: 'warning',
    why: 'the zero sequence has the impedance of the positive one',
  },
  {
    classes: ['ShortCircuitTest'],
    attributes: ['ShortCircuitTest.lossZero'],
    neutral: same('ShortCircuitTest.loss'),
    severity: 'warning',
    why: 'the zero sequence has the impedance of the positive one',
  },
  {
    classes: ['NoLoadTest'],
    attributes: ['NoLoadTest.excitingCurrentZero'],
    neutral: same('NoLoadTest.excitingCurrent'),
    severity: 'warning',
    why: 'the core is the same in all sequences',
  },
  {
    classes: ['NoLoadTest'],
    attributes: ['NoLoadTest.lossZero'],
    neutral: same('NoLoadTest.loss'),
    severity: 'warning',
    why: 'the core is the same in all sequences',
  },
  {
    classes: ['TapChangerControl'],
    attributes: ['RegulatingControl.mode'],
    neutral: ['voltage', ''],
    severity: 'warning',
    why: 'tap changers control voltage',
  },
  {
    classes: ['TapChangerControl'],
    attributes: ['TapChangerControl.reverseLineDropR', 'TapChangerControl.reverseLineDropX'],
    neutral: 0,
    severity: 'warning',
    why: 'line drop is compensated alike in both directions',
  },
  {
    classes: ['PowerElectronicsConnection'],
    attributes: ['PowerElectronicsConnection.maxQ', 'PowerElectronicsConnection.minQ'],
    neutral: 0,
    severity: 'info',
    why: 'reactive power is bounded by the apparent power alone',
  },
  {
    classes: ['PowerElectronicsConnection'],
    attributes: ['PowerElectronicsConnection.controlMode'],
    neutral: ['constantReactivePower', ''],
    severity: 'info',
    why: 'the reactive power of the file is kept',
  },
  {
    classes: ['SvTapStep'],
    attributes: ['SvTapStep.position'],
    neutral: { sameAs: ['TapChanger.step', 'TapChanger.normalStep'], of: 'SvTapStep.TapChanger' },
    severity: 'info',
    why: 'a solved state is not taken as the present one; TapChanger.step is',
  },
  {
    classes: ['SvShuntCompensatorSections'],
    attributes: ['SvShuntCompensatorSections.sections'],
    neutral: {
      sameAs: ['ShuntCompensator.sections', 'ShuntCompensator.normalSections'],
      of: 'SvShuntCompensatorSections.ShuntCompensator',
    },
    severity: 'info',
    why: 'a solved state is not taken as the present one; ShuntCompensator.sections is',
  },
  {
    classes: ['SvSwitch'],
    attributes: ['SvSwitch.open'],
    neutral: { sameAs: ['Switch.open', 'Switch.normalOpen'], of: 'SvSwitch.Switch' },
    severity: 'info',
    why: 'a solved state is not taken as the present one; Switch.open is',
  },
];

function isNeutral(eq: CimEquipment, object: CimObject, written: string, neutral: Neutral): boolean {
  const value = decimalOf(written);
  if (typeof neutral === 'number') return value === undefined || value === neutral;
  if (!('sameAs' in neutral)) return neutral.includes(memberOf(written)) || neutral.includes(written.toLowerCase());
  const holder = neutral.of === undefined ? object : eq.index.objects.get(object.ref(neutral.of) ?? '');
  const other = neutral.sameAs.map((name) => holder?.get(name)).find((text) => text !== undefined) ?? '';
  if (other.toLowerCase() === written.toLowerCase()) return true;
  // Zero is how exporters write a zero sequence that they do not know.
  if (neutral.of === undefined && (value === undefined || value === 0)) return true;
  const twin = decimalOf(other);
  if (value === undefined || twin === undefined) return false;
  return Math.abs(value - twin) <= SAME_SHARE * Math.abs(twin);
}

function allowed(neutral: Neutral): string {
  if (typeof neutral === 'number') return String(neutral);
  if ('sameAs' in neutral) return `the value of ${neutral.sameAs[0]}`;
  return neutral.filter((word) => word !== '').join(', ');
}

/** Names every attribute of the table whose value has an effect that the model does not have. */
export function nameUnrepresented(eq: CimEquipment): void {
  for (const { classes, attributes, neutral, severity, why } of TABLE) {
    for (const attribute of attributes) {
      if (eq.index.attributeCode(attribute) < 0) continue;
      for (const className of classes) {
        const found = eq.index.byClass(className).filter((object) => {
          const written = object.get(attribute);
          return written !== undefined && !isNeutral(eq, object, written, neutral);
        });
        const [first] = found;
        if (!first) continue;
        eq.findings.addGroup(severity, 'UNREPRESENTED_ATTRIBUTE', first, found.length, {
          message: `${attribute} is not represented: ${why}.`,
          attribute,
          value: first.get(attribute) ?? '',
          allowed: allowed(neutral),
        });
      }
    }
  }
}
