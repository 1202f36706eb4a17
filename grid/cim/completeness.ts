/*
 * What an input needs but does not have: objects that are referred to, and whole profiles of a model in several files.
 */

import type { CimEquipment } from './equipment.js';
import { MACHINE_CLASSES } from './generation.js';
import { LOAD_CLASSES } from './load.js';
import type { CimObject } from './object-index.js';
import { PARENT_LINKS } from './parentage.js';

/** Links that the model follows: without their target something is left out or defaulted. */
const FOLLOWED = [
  'ACLineSegment.PerLengthImpedance',
  'ACLineSegment.PhaseImpedance',
  'ACLineSegment.SequenceImpedance',
  'ACLineSegment.WireSpacingInfo',
  'ACLineSegmentPhase.ACLineSegment',
  'ACLineSegmentPhase.WireInfo',
  'ConductingEquipment.BaseVoltage',
  'EnergyConsumer.LoadResponse',
  'EnergyConsumer.LoadResponseCharacteristic',
  'EnergyConsumerPhase.EnergyConsumer',
  'EnergySourcePhase.EnergySource',
  'NoLoadTest.EnergisedEnd',
  'PhaseImpedanceData.PhaseImpedance',
  'PowerElectronicsConnection.PowerElectronicsUnit',
  'PowerElectronicsConnectionPhase.PowerElectronicsConnection',
  'PowerElectronicsUnit.PowerElectronicsConnection',
  'PowerTransformerEnd.PowerTransformer',
  'RatioTapChanger.TransformerEnd',
  'RegulatingCondEq.RegulatingControl',
  'RegulatingControl.RegulatingCondEq',
  'RegulatingControl.Terminal',
  'ShortCircuitTest.EnergisedEnd',
  'ShortCircuitTest.GroundedEnds',
  'ShuntCompensatorPhase.ShuntCompensator',
  'SwitchPhase.Switch',
  'TapChanger.TapChangerControl',
  'TapChangerControl.TapChanger',
  'Terminal.ConductingEquipment',
  'Terminal.ConnectivityNode',
  'TransformerCoreAdmittance.TransformerEnd',
  'TransformerEnd.BaseVoltage',
  'TransformerEnd.CoreAdmittance',
  'TransformerEnd.RatioTapChanger',
  'TransformerEnd.StarImpedance',
  'TransformerEnd.Terminal',
  'TransformerEndInfo.TransformerTankInfo',
  'TransformerMeshImpedance.FromTransformerEnd',
  'TransformerMeshImpedance.FromTransformerEndInfo',
  'TransformerMeshImpedance.ToTransformerEnd',
  'TransformerMeshImpedance.ToTransformerEndInfos',
  'TransformerTank.PowerTransformer',
  'TransformerTank.TransformerTankInfo',
  'TransformerTankEnd.TransformerTank',
  'TransformerTankInfo.PowerTransformerInfo',
  'WirePosition.WireSpacingInfo',
] as const;

const FUNCTIONAL = 'functional or equipment profile (FUN, EQ)';
const STEADY_STATE = 'steady-state profile (SSH)';

/** Names every followed link whose target the input lacks, with its id. */
export function nameMissingTargets(eq: CimEquipment): void {
  nameTextLinks(eq);
  const attributes = new Map<number, string>();
  for (const name of FOLLOWED) {
    const code = eq.index.attributeCode(name);
    if (code >= 0) attributes.set(code, name);
  }
  for (const object of eq.index.objects.values()) {
    object.eachReference((code, target) => {
      const attribute = attributes.get(code);
      if (attribute === undefined || eq.index.objects.has(target)) return;
      eq.findings.add('error', 'MISSING_REFERENCE', object, `${attribute} refers to an object that the input lacks.`, {
        attribute,
        value: target,
        allowed: 'the id of an object of the input',
      });
    });
  }
}

/** Names links that stand there as text: they lead nowhere, whatever they say. */
function nameTextLinks(eq: CimEquipment): void {
  const names = new Map<number, string>();
  for (const name of [...FOLLOWED, ...PARENT_LINKS]) {
    const code = eq.index.attributeCode(name);
    if (code >= 0) names.set(code, name);
  }
  for (const object of eq.index.objects.values()) {
    object.eachKind((code, kind) => {
      if (kind === 'reference') return;
      const attribute = names.get(code);
      if (attribute === undefined || eq.orphans.has(object)) return;
      eq.findings.add('error', 'BAD_VALUE', object, `${attribute} is a text, not a link.`, {
        attribute,
        value: object.peek(code),
        allowed: 'rdf:resource with the id of an object of the input',
      });
    });
  }
}

/** Names the profiles that a model in several files lacks, from what no object of the input has. */
export function nameMissingProfiles(eq: CimEquipment): void {
  const { index } = eq;
  const missing = (profile: string, fact: string, attribute: string) => {
    // One file may be a network without loads, with faults that are named one by one; several are the profiles of a model.
    const isCertain = index.files.length > 1 || profile === FUNCTIONAL;
    eq.findings.note(
      isCertain ? 'error' : 'warning',
      'MISSING_PROFILE',
      `${fact}: the ${profile} ${isCertain ? 'is' : 'may be'} missing. Give all profile files of the model together.`,
      { attribute, ...(index.files[0] === undefined ? {} : { file: index.files.join(', ') }) },
    );
  };
  const hasNone = (classes: readonly string[], test: (object: CimObject) => boolean) => {
    const objects = classes.flatMap((name) => index.byClass(name));
    return objects.length > 0 && !objects.some(test);
  };
  const hasAny = (object: CimObject, attributes: readonly string[]) =>
    attributes.some((name) => object.get(name) !== undefined);
  const terminals = index.byClass('Terminal');
  if (!terminals.some((terminal) => terminal.ref('Terminal.ConductingEquipment') !== undefined)) {
    missing(FUNCTIONAL, 'No terminal of the input belongs to equipment', 'Terminal.ConductingEquipment');
    return;
  }
  if (!terminals.some((terminal) => eq.busOf(terminal) !== undefined)) {
    missing('topology profile (TOPO, TP)', 'No terminal of the input has a node', 'Terminal.ConnectivityNode');
  }
  const powers = ['EnergyConsumer', 'EnergyConsumerPhase'].flatMap((name) =>
    ['p', 'q', 'pfixed', 'qfixed'].map((letter) => `${name}.${letter}`),
  );
  if (hasNone([...LOAD_CLASSES, 'EnergyConsumerPhase'], (object) => hasAny(object, powers))) {
    missing(STEADY_STATE, 'No load of the input has a power', 'EnergyConsumer.p');
  }
  const machinePowers = ['RotatingMachine.p', 'PowerElectronicsConnection.p', 'PowerElectronicsConnectionPhase.p'];
  const inverters = ['PowerElectronicsConnection', 'PowerElectronicsConnectionPhase'];
  if (
    hasNone([...MACHINE_CLASSES, ...inverters], (o) =>
      hasAny(o, [...machinePowers, 'PowerElectronicsConnectionPhase.pfixed']),
    )
  ) {
    missing(STEADY_STATE, 'No generation of the input has a power', 'PowerElectronicsConnection.p');
  }
  const impedances = [
    'ACLineSegment.PerLengthImpedance',
    'ACLineSegment.PhaseImpedance',
    'ACLineSegment.SequenceImpedance',
    'ACLineSegment.WireSpacingInfo',
    'ACLineSegment.r',
    'ACLineSegment.x',
  ];
  const hasSheets = index.byClass('WireSpacingInfo').length > 0;
  if (!hasSheets && hasNone(['ACLineSegment'], (object) => hasAny(object, impedances))) {
    missing('electrical profile (EP)', 'No line of the input has an impedance', 'ACLineSegment.PerLengthImpedance');
  }
  if (index.byClass('TransformerTank').length > 0 && index.byClass('TransformerEndInfo').length === 0) {
    missing('catalogue profile (CAT)', 'No tank of the input has ratings', 'TransformerTank.TransformerTankInfo');
  }
}
