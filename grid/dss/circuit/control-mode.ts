import type { FeederData } from '../../model/index.js';
import type { DssPlace } from '../script/index.js';
import type { CircuitReader } from './circuit-reader.js';
import type { DssStudy } from './study.js';

/** Whether a place comes later in the same file. */
const isAfter = (place: DssPlace, other: DssPlace): boolean => place.file === other.file && place.line > other.line;

/** Transformers whose taps the script sets after a place, by id. */
function retapped(reader: CircuitReader, since: DssPlace): ReadonlySet<string> {
  return new Set(
    ['transformer', 'autotrans'].flatMap((className) =>
      reader.script
        .byClass(className)
        .filter(({ assignments }) =>
          assignments.some(({ property, at }) => (property === 'tap' || property === 'taps') && isAfter(at, since)),
        )
        .map(({ name }) => `${className}.${name}`),
    ),
  );
}

/**
 * Controls of a script that ends with `controlmode=off`. Where it has solved before with them on, they have acted: only what
 * it set by hand afterwards stays as it is. Else all controls stand still.
 */
export function withControlMode(reader: CircuitReader, study: DssStudy, data: FeederData): FeederData {
  const option = reader.script.options.get('controlmode');
  if (study.controlMode !== 'off' || !option) return data;
  const firstSolve = reader.script.solves[0]?.at;
  const hasActed = firstSolve !== undefined && isAfter(option.at, firstSolve);
  const byHand = hasActed ? retapped(reader, firstSolve) : new Set<string>();
  const isStill = (id: string) => !hasActed || byHand.has(id);
  const still = data.regulators.filter(({ transformerId }) => isStill(transformerId));
  const others = hasActed ? [] : [...data.capacitors.filter(({ control }) => control), ...data.inverterControls];
  if (still.length + others.length === 0) return data;
  reader.noteAt(
    'info',
    'CONTROLS_OFF',
    hasActed
      ? 'The script solves, sets taps by hand and switches controls off; those regulators keep their taps.'
      : 'The script sets controlmode=off; its regulators, capacitors and inverters keep their states.',
    option.at,
  );
  return {
    ...data,
    regulators: data.regulators.map((regulator) =>
      isStill(regulator.transformerId) ? { ...regulator, isControlEnabled: false } : regulator,
    ),
    capacitors: data.capacitors.map((capacitor) =>
      capacitor.control && !hasActed
        ? {
            ...capacitor,
            control: { ...capacitor.control, isEnabled: false },
            ...(capacitor.otherControls
              ? { otherControls: capacitor.otherControls.map((control) => ({ ...control, isEnabled: false })) }
              : {}),
          }
        : capacitor,
    ),
    inverterControls: data.inverterControls.map((control) => (hasActed ? control : { ...control, isEnabled: false })),
  };
}
