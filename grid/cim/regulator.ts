import type { Regulator, Transformer } from '../model/index.js';
import type { CimEquipment } from './equipment.js';
import type { CimObject } from './object-index.js';
import { nodeOfPhase, phasesOf } from './phase.js';
import type { WindingPlace } from './winding.js';

/** The TapChangerInfo of older files, tied by Asset. */
function tapChangerInfo(eq: CimEquipment, changer: CimObject): CimObject | undefined {
  return eq.index
    .referrers(changer.id, 'Asset.PowerSystemResources')
    .flatMap((asset) => asset.refs('Asset.AssetInfo'))
    .map((id) => eq.index.objects.get(id))
    .find((info) => info?.className === 'TapChangerInfo');
}

/** The transformer end of a tap changer, whichever of the two holds the link, as canonical id. */
function endOf(eq: CimEquipment, changer: CimObject): string | undefined {
  return (
    changer.ref('RatioTapChanger.TransformerEnd') ??
    eq.index.referrers(changer.id, 'TransformerEnd.RatioTapChanger')[0]?.id
  );
}

/** The PowerTransformer a tap changer belongs to. */
export function tapChangerBank(eq: CimEquipment, changer: CimObject): CimObject | undefined {
  const end = eq.index.objects.get(endOf(eq, changer) ?? '');
  const tank = eq.index.objects.get(end?.ref('TransformerTankEnd.TransformerTank') ?? '');
  return eq.index.objects.get(
    end?.ref('PowerTransformerEnd.PowerTransformer') ?? tank?.ref('TransformerTank.PowerTransformer') ?? '',
  );
}

/** Present position, steps. Exporters before 2019 write the ratio (1.0625) in the place of the step. */
function tapPosition(eq: CimEquipment, changer: CimObject, neutralStep: number, stepPu: number): number {
  const step = eq.optionalNumber(changer, 'TapChanger.step', 'TapChanger.normalStep') ?? neutralStep;
  const isRatio = Math.abs(step - 1) < 0.25 && (!Number.isInteger(step) || neutralStep !== 0);
  if (!isRatio || !(stepPu > 0)) return step;
  eq.findings.add('info', 'UNIT', changer, 'Its step is written as a ratio and turned into steps.', {
    attribute: 'TapChanger.step',
    value: String(step),
  });
  return neutralStep + Math.round((step - 1) / stepPu);
}

/**
 * Maps one RatioTapChanger with its control.
 *
 * @param places - where the transformer ends went
 * @returns undefined, with a finding, when its transformer end is not in the model
 */
export function readRegulator(
  eq: CimEquipment,
  changer: CimObject,
  places: ReadonlyMap<string, WindingPlace>,
  transformers: ReadonlyMap<string, Transformer>,
): Regulator | undefined {
  const end = endOf(eq, changer);
  const place = end === undefined ? undefined : places.get(end);
  const transformer = place && transformers.get(place.transformerId);
  if (!place || !transformer) {
    eq.findings.add('error', 'MISSING_REFERENCE', changer, 'Its transformer end is not in the model; it is left out.', {
      attribute: 'RatioTapChanger.TransformerEnd',
      ...(end === undefined ? {} : { value: end }),
    });
    return undefined;
  }
  const control =
    eq.index.objects.get(changer.ref('TapChanger.TapChangerControl') ?? '') ??
    eq.index.referrers(changer.id, 'TapChangerControl.TapChanger')[0];
  const info = tapChangerInfo(eq, changer);
  const isEnabled =
    control !== undefined &&
    (eq.flag(changer, 'TapChanger.controlEnabled') ?? true) &&
    (eq.flag(control, 'RegulatingControl.enabled') ?? true);
  const neutralStep = eq.optionalNumber(changer, 'TapChanger.neutralStep') ?? 0;
  const stepPu = eq.number(changer, 'RatioTapChanger.stepVoltageIncrement', 0.625) / 100;
  const limit = (attribute: string) => {
    const value = eq.optionalNumber(control, attribute);
    return value !== undefined && value > 0 ? value : undefined;
  };
  const maxVoltageV = limit('TapChangerControl.maxLimitVoltage') ?? limit('TapChangerControl.limitVoltage');
  const minVoltageV = limit('TapChangerControl.minLimitVoltage');
  const monitoredTerminal = eq.index.objects.get(control?.ref('RegulatingControl.Terminal') ?? '');
  const monitoredBus = eq.busOf(monitoredTerminal);
  const winding = transformer.windings[place.winding]!;
  const phase = phasesOf(control?.get('RegulatingControl.monitoredPhase'))[0];
  const isElsewhere = monitoredBus !== undefined && monitoredBus !== winding.terminal.bus;
  return {
    kind: 'regulator',
    id: changer.id,
    mrid: changer.mrid,
    name: changer.name,
    transformerId: transformer.id,
    winding: place.winding,
    lowStep: eq.number(changer, 'TapChanger.lowStep', -16),
    highStep: eq.number(changer, 'TapChanger.highStep', 16),
    neutralStep,
    stepPu,
    position: tapPosition(eq, changer, neutralStep, stepPu),
    isControlEnabled: isEnabled,
    targetV: control ? eq.number(control, 'RegulatingControl.targetValue', 120) : 0,
    bandV: control ? eq.number(control, 'RegulatingControl.targetDeadband', 2) : 0,
    ptRatio: eq.optionalNumber(changer, 'TapChanger.ptRatio') ?? eq.optionalNumber(info, 'TapChangerInfo.ptRatio') ?? 1,
    ctPrimaryA:
      eq.optionalNumber(changer, 'TapChanger.ctRating') ?? eq.optionalNumber(info, 'TapChangerInfo.ctRating') ?? 0,
    hasLineDropCompensation: eq.flag(control, 'TapChangerControl.lineDropCompensation') ?? false,
    lineDropRV: eq.optionalNumber(control, 'TapChangerControl.lineDropR') ?? 0,
    lineDropXV: eq.optionalNumber(control, 'TapChangerControl.lineDropX') ?? 0,
    initialDelayS: eq.optionalNumber(changer, 'TapChanger.initialDelay') ?? 0,
    subsequentDelayS: eq.optionalNumber(changer, 'TapChanger.subsequentDelay') ?? 0,
    ...(maxVoltageV === undefined ? {} : { maxVoltageV }),
    ...(minVoltageV === undefined ? {} : { minVoltageV }),
    isReversible: eq.flag(control, 'TapChangerControl.reversible') ?? false,
    ...(isElsewhere
      ? { monitored: { bus: monitoredBus, nodes: phase ? [nodeOfPhase(phase)] : winding.terminal.nodes } }
      : transformer.phases === 3 && phase
        ? { monitored: { bus: winding.terminal.bus, nodes: [nodeOfPhase(phase)] } }
        : {}),
  };
}
