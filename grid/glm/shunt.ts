/** Loads, generation and capacitors. */
import type { Capacitor, Der, Load, PhaseShare, Terminal, ZipShares } from '../model/index.js';
import { complex, type GlmScript, letters } from './script.js';

const CONSTANT_POWER: ZipShares = { z: 0, i: 0, p: 1 };
const CONSTANT_IMPEDANCE: ZipShares = { z: 1, i: 0, p: 0 };

interface Drawn {
  readonly id: string;
  readonly name: string;
  readonly mrid: string;
  readonly terminal: Terminal;
}

/** Property suffix of a share on an ordinary bus and whether it is from phase to phase; undefined for none. */
function phasePlace({
  node,
  otherNode,
}: PhaseShare): { readonly suffix: string; readonly isDelta: boolean } | undefined {
  if (otherNode === 0) {
    const suffix = letters([node]);
    return suffix === undefined ? undefined : { suffix, isDelta: false };
  }
  const pair = letters([node, otherNode]);
  const suffix = { AB: 'A', BC: 'B', AC: 'C' }[pair ?? ''];
  return suffix === undefined ? undefined : { suffix, isDelta: true };
}

/** Property suffix of a share on a split-phase bus. */
function legPlace({ node, otherNode }: PhaseShare): string | undefined {
  if (otherNode === 0) return node === 1 || node === 2 ? String(node) : undefined;
  return (node === 1 && otherNode === 2) || (node === 2 && otherNode === 1) ? '12' : undefined;
}

/** What one share draws: constant power and impedance by value; constant current as a fraction, which turns with the voltage. */
function drawn(suffix: string, share: PhaseShare, zipP: ZipShares, zipQ: ZipShares): Record<string, string | number> {
  const { powerW: p, powerVar: q, ratedVoltageV: volts } = share;
  const values: Record<string, string | number> = {};
  if (zipP.i !== 0 || zipQ.i !== 0) {
    // Fractions are of one apparent power, each with a power factor whose sign is that of the reactive power.
    const parts = (['power', 'current', 'impedance'] as const).map((part) => {
      const key = ({ power: 'p', current: 'i', impedance: 'z' } as const)[part];
      return { part, w: p * zipP[key], var: q * zipQ[key] };
    });
    const total = parts.reduce((sum, one) => sum + Math.sign(one.w || 1) * Math.hypot(one.w, one.var), 0);
    values[`base_power_${suffix}`] = total;
    for (const { part, w, var: reactive } of parts) {
      const size = Math.hypot(w, reactive);
      const sign = Math.sign(w || 1) * Math.sign(reactive || 1);
      values[`${part}_fraction_${suffix}`] = total === 0 ? 0 : (Math.sign(w || 1) * size) / total;
      values[`${part}_pf_${suffix}`] = size === 0 ? 1 : (sign * Math.abs(w)) / size;
    }
    return values;
  }
  if (p * zipP.p !== 0 || q * zipQ.p !== 0) values[`constant_power_${suffix}`] = complex(p * zipP.p, q * zipQ.p);
  const [pz, qz] = [p * zipP.z, q * zipQ.z];
  const size = pz * pz + qz * qz;
  if (size > 0)
    values[`constant_impedance_${suffix}`] = complex((volts * volts * pz) / size, (volts * volts * qz) / size);
  return values;
}

/** Shares of a device as load objects, one for each place so that none overwrites another. */
function writeShares(
  script: GlmScript,
  device: Drawn,
  shares: readonly PhaseShare[],
  zipP: ZipShares = CONSTANT_POWER,
  zipQ: ZipShares = zipP,
): void {
  const parent = script.bus(device.terminal.bus);
  const busPhases = script.phases(device.terminal.bus);
  shares.forEach((share, k) => {
    const isSplit = busPhases.endsWith('S');
    const place = isSplit ? undefined : phasePlace(share);
    const suffix = isSplit ? legPlace(share) : place?.suffix;
    const isFed =
      isSplit ||
      letters([share.node, share.otherNode].filter((node) => node !== 0))
        ?.split('')
        .every((one) => busPhases.includes(one));
    if (suffix === undefined || !isFed) {
      const message = `${device.name} draws from nodes ${share.node} and ${share.otherNode}, which cannot be said; that share is left out.`;
      script.notCarried(device, 'load', 'phases', message);
      return;
    }
    const values = drawn(suffix, share, zipP, zipQ);
    if (Object.keys(values).length === 0) return;
    const pair = letters([share.node, share.otherNode].filter((node) => node !== 0)) ?? '';
    script.add(isSplit ? 'triplex_load' : 'load', {
      name: script.name('load', `${device.id} ${k}`, shares.length > 1 ? `${device.name}_${k + 1}` : device.name),
      parent,
      phases: isSplit ? busPhases : `${pair}${place?.isDelta ? 'D' : 'N'}`,
      nominal_voltage:
        isSplit || !place?.isDelta
          ? suffix === '12'
            ? share.ratedVoltageV / 2
            : share.ratedVoltageV
          : share.ratedVoltageV / Math.sqrt(3),
      ...values,
    });
  });
}

export function writeLoad(script: GlmScript, load: Load): void {
  if (load.voltageExponents) {
    const message = `The voltage exponents of load ${load.name} are left out; its constant-power part is constant.`;
    script.notCarried(load, 'load', 'voltageExponents', message);
  }
  writeShares(script, load, load.shares, load.zipP, load.zipQ);
}

/** PV, storage and machines as negative loads of constant power: what they give now, whatever their controls would do. */
export function writeGeneration(script: GlmScript, der: Der): void {
  const given = der.shares.map((share) => ({ ...share, powerW: -share.powerW, powerVar: -share.powerVar }));
  if (
    ('model' in der && der.model !== undefined && der.model !== 1) ||
    ('isCurrentConstant' in der && der.isCurrentConstant)
  ) {
    const message = `${der.name} is not of constant power; its power of now is written as constant.`;
    script.notCarried(der, 'load', 'model', message);
  }
  writeShares(script, der, given);
}

/** A bank with the sections that are in service; one in delta as a constant impedance. */
export function writeCapacitor(script: GlmScript, capacitor: Capacitor): void {
  const { shares, terminal } = capacitor;
  const total = shares.reduce((sum, { powerVar }) => sum + Math.abs(powerVar), 0);
  const varOf = (k: number) =>
    Math.abs(capacitor.sectionVar) * (total > 0 ? Math.abs(shares[k]!.powerVar) / total : 1 / shares.length);
  if ([capacitor.control ?? [], capacitor.otherControls ?? []].flat().some(({ isEnabled }) => isEnabled)) {
    const message = `Capacitor ${capacitor.name} stands as it is; its control is not written.`;
    script.notCarried(capacitor, 'capacitor', 'control', message, 'info');
  }
  const isPlain = shares.every(({ node, otherNode }) => otherNode === 0 && letters([node]) !== undefined);
  if (!isPlain || script.phases(terminal.bus).endsWith('S')) {
    const on = shares.map((share, k) => ({
      ...share,
      powerW: 0,
      powerVar: -varOf(k) * (capacitor.sectionsOn[k] ?? 0),
    }));
    writeShares(script, capacitor, on, CONSTANT_IMPEDANCE);
    return;
  }
  const phases = letters(shares.map(({ node }) => node))!;
  const values: Record<string, string | number> = {};
  shares.forEach(({ node }, k) => {
    const phase = letters([node])!;
    const on = capacitor.sectionsOn[k] ?? 0;
    values[`capacitor_${phase}`] = varOf(k) * Math.max(1, on);
    values[`switch${phase}`] = on > 0 ? 'CLOSED' : 'OPEN';
  });
  script.add('capacitor', {
    name: script.name('capacitor', capacitor.id, capacitor.name),
    parent: script.bus(terminal.bus),
    phases: `${phases}N`,
    phases_connected: `${phases}N`,
    control: 'MANUAL',
    control_level: 'INDIVIDUAL',
    nominal_voltage: script.feeder.busById.get(terminal.bus)?.baseVoltageV,
    cap_nominal_voltage: shares[0]!.ratedVoltageV,
    ...values,
  });
}
