/*
 * Attributes that nothing has read. The reader counts what it asks each object for, so that an attribute beside another one
 * that takes its place, one of a later standard, or a misspelt one shows, whatever its name is. One info for each class and
 * attribute, with the number of objects and the first of them.
 */

import type { CimObject } from './cim-object.js';
import { isMappedClass } from './class-list.js';
import { decimalOf } from './decimal.js';
import type { CimEquipment } from './equipment.js';
import type { KeyList } from './key-list.js';

/** Attributes that say nothing about the power flow, by why; a name that ends in a point stands for all of its class. */
export const HARMLESS_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  'names, places, pictures, owners and catalogues': [
    ...['IdentifiedObject.', 'Location.', 'PositionPoint.', 'AssetInfo.', 'Asset.', 'ProductAssetModel.'],
    ...['PowerSystemResource.Location', 'PowerSystemResource.PSRType', 'PowerSystemResource.AssetDatasheet'],
    ...['PowerSystemResource.Assets', 'WireInfo.sizeDescription', 'PerLengthLineParameter.WireAssemblyInfo'],
    ...['Description.', 'WireSpacingInfo.usage', 'PowerTransformer.vectorGroup'],
  ],
  'containers, regions and areas': [
    ...['Equipment.EquipmentContainer', 'Equipment.SubSchedulingArea', 'Equipment.AdditionalEquipmentContainer'],
    ...['ConnectivityNode.', 'TopologicalNode.', 'Terminal.BoundedSchedulingArea', 'Terminal.TopologicalNode'],
    ...['ACDCTerminal.sequenceNumber', 'ACDCTerminal.connected', 'Terminal.phases'],
    ...['Feeder.', 'Line.', 'Substation.', 'SubGeographicalRegion.', 'FeederArea.', 'SwitchArea.', 'SecondaryArea.'],
    ...['DistributionArea.', 'Equipment.aggregate'],
  ],
  'the normal state beside the present one': [
    ...['Equipment.normallyInService', 'Switch.normalOpen', 'SwitchPhase.normalOpen', 'TapChanger.normalStep'],
    ...['ShuntCompensator.normalSections', 'ShuntCompensatorPhase.normalSections'],
    ...['ShuntCompensatorPhase.maximumSections', 'PowerTransformer.isPartOfGeneratorUnit'],
  ],
  'ratings, limits and data of operation that a power flow does not need': [
    ...['Switch.ratedCurrent', 'Switch.retained', 'ProtectedSwitch.breakingCapacity', 'WireInfo.ratedCurrent'],
    ...['TransformerEndInfo.emergencyS', 'TransformerEndInfo.shortTermS', 'TransformerEndInfo.insulationU'],
    ...['OperationalLimit.', 'OperationalLimitSet.', 'OperationalLimitType.', 'CurrentLimit.', 'VoltageLimit.'],
    ...['BatteryUnit.batteryState', 'PowerElectronicsConnection.maxIFault', 'PowerElectronicsConnection.ratedU'],
    ...['PowerElectronicsUnit.minP', 'EnergyConsumer.grounded', 'Measurement.', 'ACDCTerminal.OperationalLimitSet'],
    ...['LoadResponseCharacteristic.pFrequencyExponent', 'LoadResponseCharacteristic.qFrequencyExponent'],
  ],
  'alternative values of what is read, at other temperatures, steps or from the same make': [
    ...['WireInfo.rAC25', 'WireInfo.rAC50', 'WireInfo.rAC75', 'WireInfo.coreRadius', 'WireInfo.coreStrandCount'],
    ...['WireInfo.strandCount', 'WireInfo.material', 'WireInfo.insulated', 'WireInfo.insulationMaterial'],
    ...['WireInfo.insulationThickness', 'CableInfo.', 'WireSpacingInfo.isCable', 'TransformerTest.temperature'],
    ...['NoLoadTest.energisedEndVoltage', 'ShortCircuitTest.energisedEndStep', 'ShortCircuitTest.groundedEndStep'],
    ...['PerLengthPhaseImpedance.conductorCount', 'TapChanger.ctRatio', 'TapChanger.neutralU', 'TapChanger.ltcFlag'],
    ...['RatioTapChanger.tculControlMode', 'RegulatingControl.discrete', 'TapChangerInfo.'],
    ...['RegulatingControl.enabled', 'RegulatingControl.monitoredPhase'],
    ...['EnergySource.nominalVoltage', 'PowerTransformerEnd.phaseAngleClock', 'TransformerEndInfo.phaseAngleClock'],
  ],
};

/** Attributes that are read only where another one calls for them; a zero or a false says nothing elsewhere. */
export const NEUTRAL_AT_ZERO: readonly string[] = [
  ...['p', 'q'].flatMap((letter) =>
    ['VoltageExponent', 'ConstantImpedance', 'ConstantCurrent', 'ConstantPower'].map(
      (name) => `LoadResponseCharacteristic.${letter}${name}`,
    ),
  ),
  ...['LoadResponseCharacteristic.exponentModel', 'ShuntCompensator.aVRDelay', 'TransformerEnd.grounded'],
  ...['TransformerEnd.rground', 'TransformerEnd.xground', 'PowerTransformerEnd.b', 'PowerTransformerEnd.g'],
  ...['PowerTransformerEnd.r', 'PowerTransformerEnd.x', 'ACLineSegment.bch', 'ACLineSegment.b0ch'],
  ...['ACLineSegment.r', 'ACLineSegment.x', 'ACLineSegment.r0', 'ACLineSegment.x0'],
];
const NEUTRAL: ReadonlySet<string> = new Set(NEUTRAL_AT_ZERO);

/** Classes of which a file may hold more than its equipment uses: an entry that nothing has asked anything is not in use. */
export const CATALOGUE: ReadonlySet<string> = new Set([
  ...['BaseVoltage', 'ConcentricNeutralCableInfo', 'LoadResponseCharacteristic', 'NoLoadTest', 'OverheadWireInfo'],
  ...['PerLengthPhaseImpedance', 'PerLengthSequenceImpedance', 'PhaseImpedanceData', 'PowerTransformerInfo'],
  ...['ShortCircuitTest', 'TapChangerInfo', 'TapeShieldCableInfo', 'TransformerEndInfo', 'TransformerTankInfo'],
  ...['WireInfo', 'WirePosition', 'WireSpacingInfo', 'TransformerMeshImpedance'],
]);

const HARMLESS: ReadonlySet<string> = new Set(Object.values(HARMLESS_ATTRIBUTES).flat());

function isHarmless(attribute: string): boolean {
  return HARMLESS.has(attribute) || HARMLESS.has(attribute.slice(0, attribute.indexOf('.') + 1));
}

function isZero(text: string): boolean {
  return decimalOf(text) === 0 || text.toLowerCase() === 'false';
}

/** Names the attributes of classes of the model that nothing has asked for. Run it when all feeders are read. */
export function nameUnread(eq: CimEquipment): void {
  const { index } = eq;
  const isSilent = new Map<number, boolean>();
  /** Bits of the properties that are worth a word when nothing has asked for them. */
  const loudBits = (list: KeyList): number => {
    let bits = 0;
    for (let i = 0; i < list.length && i < 31; i++) {
      const code = list.keys[i]! >> 2;
      let silent = isSilent.get(code);
      if (silent === undefined) {
        silent = index.isFollowed(code) || isHarmless(index.attributeName(code));
        isSilent.set(code, silent);
      }
      if (!silent) bits |= 1 << i;
    }
    return bits;
  };
  for (const className of index.classCounts().keys()) {
    if (!isMappedClass(className)) continue;
    const found = new Map<number, { readonly first: CimObject; count: number }>();
    const loud = new Map([...index.keyLists(className)].map((list) => [list, loudBits(list)]));
    if ([...loud.values()].every((bits) => bits === 0)) continue;
    const objects = index.byClass(className);
    for (let k = 0; k < objects.length; k++) {
      const object = objects[k]!;
      const unread = (loud.get(object.keyList) ?? 0) & ~object.asked;
      if (unread === 0) continue;
      // Why nothing asks an orphan for anything has a finding of its own.
      if (eq.orphans.has(object) || (CATALOGUE.has(className) && !object.isAsked)) continue;
      const { keys } = object.keyList;
      for (let i = 0; i < keys.length && i < 31; i++) {
        if ((unread & (1 << i)) === 0) continue;
        const code = keys[i]! >> 2;
        if (NEUTRAL.has(index.attributeName(code)) && isZero(object.peek(code))) continue;
        const kind = found.get(code);
        if (kind) kind.count++;
        else found.set(code, { first: object, count: 1 });
      }
    }
    for (const [code, { first, count }] of found) {
      const attribute = index.attributeName(code);
      const message = `${attribute} of ${className} is not read${count < index.byClass(className).length ? ' there' : ''}; it has no effect.`;
      const value = first.peek(code);
      eq.findings.addGroup('info', 'UNREAD_ATTRIBUTE', first, count, { message, attribute, value });
    }
  }
}
