import { buildFeeder, type Capacitor, type Feeder, feederData, type Regulator } from '../../grid/model/index.js';
import type { ControlSetting } from './difference.js';

/** The feeder with one setting of a regulator or of a capacitor's control changed; the feeder given stays as it is. */
export function withControlSetting(feeder: Feeder, elementId: string, name: ControlSetting, value: number): Feeder {
  const data = feederData(feeder);
  return buildFeeder(
    {
      ...data,
      regulators: data.regulators.map((unit) => (unit.id === elementId ? changeRegulator(unit, name, value) : unit)),
      capacitors: data.capacitors.map((unit) => (unit.id === elementId ? changeCapacitor(unit, name, value) : unit)),
    },
    feeder.findings,
  );
}

function changeRegulator(regulator: Regulator, name: ControlSetting, value: number): Regulator {
  switch (name) {
    case 'target':
      return { ...regulator, targetV: value };
    case 'deadband':
      return { ...regulator, bandV: value };
    case 'delay':
      return { ...regulator, initialDelayS: value };
    case 'lineDropCompensation':
      return { ...regulator, hasLineDropCompensation: value !== 0 };
    case 'lineDropR':
      return { ...regulator, lineDropRV: value };
    case 'lineDropX':
      return { ...regulator, lineDropXV: value };
    case 'mode':
      return regulator;
  }
}

function changeCapacitor(capacitor: Capacitor, name: ControlSetting, value: number): Capacitor {
  const { control } = capacitor;
  if (!control) return capacitor;
  switch (name) {
    case 'target':
      return { ...capacitor, control: { ...control, target: value } };
    case 'deadband':
      return { ...capacitor, control: { ...control, deadband: value } };
    case 'delay':
      return { ...capacitor, control: { ...control, delayS: value } };
    case 'mode':
      return {
        ...capacitor,
        control: { ...control, mode: value === 0 ? 'voltage' : value === 2 ? 'reactivePower' : 'currentFlow' },
      };
    default:
      return capacitor;
  }
}
