import type { AttributeDifference, DerSetpoint, DifferenceMessage } from '../../bus/index.js';

/** A DER that may be commanded, from the public model. */
export interface CommandedDevice {
  /** The only agent that may command it. */
  readonly agentId: string;
  readonly name: string;
  /** mRID that the platform's dictionary lists for it; the object of difference messages. */
  readonly objectMrid: string;
  readonly maxPowerW: number;
  /** Of a battery: its largest charging power as a negative one; absent for PV, which is limited from above only. */
  readonly minPowerW?: number;
  /** What it does before the first command, W: its largest power when absent. */
  readonly initialW?: number;
}

/** Limit and reactive power last sent. */
export interface AppliedSetpoint {
  readonly setpointW: number;
  readonly setpointVar: number;
}

/** What is needed to put the set-points of one interval into one message. */
export interface CommitInput {
  readonly simulationId: string;
  /** Epoch seconds written into the message. */
  readonly timestamp: number;
  /** UUIDs: the message's own, and one for each agent file's messages. */
  readonly uuid: () => string;
  readonly setpoints: Readonly<Record<string, readonly DerSetpoint[]>>;
  /** Devices by the mRID that agents use (the connection's), in the key spelling. */
  readonly devices: ReadonlyMap<string, CommandedDevice>;
  /** Last sent by the same key; absent means the device is free: largest power, no reactive power. */
  readonly applied: ReadonlyMap<string, AppliedSetpoint>;
  readonly deadBandW: number;
  readonly key: (mrid: string) => string;
}

/** The commitment of one interval. */
export interface Commitment {
  /** One message for all devices whose set-point changes; undefined when none does. */
  readonly difference: DifferenceMessage | undefined;
  /** What will be in force, by device key: the next interval's `applied`. */
  readonly applied: ReadonlyMap<string, AppliedSetpoint>;
  readonly commanded: number;
  readonly unchanged: number;
  /** Content of each agent's file: `{ "<agent>": { "<pv name>": <difference message> } }`. */
  readonly files: Readonly<Record<string, unknown>>;
  /** Set-points that were refused, in sentences. */
  readonly findings: readonly string[];
}

const ACTIVE = 'PowerElectronicsConnection.p';
const REACTIVE = 'PowerElectronicsConnection.q';

/**
 * Puts the set-points of an interval into one difference message. Set-points are absolute limits; the reverse differences
 * say what was last in force. A set-point for a device that is not the agent's own, or that is no number, is refused:
 * a platform may stop a whole simulation at one unknown object.
 */
export function commit(input: CommitInput): Commitment {
  const forward: AttributeDifference[] = [];
  const reverse: AttributeDifference[] = [];
  const applied = new Map(input.applied);
  const files: Record<string, unknown> = {};
  const findings: string[] = [];
  let unchanged = 0;
  let commanded = 0;
  for (const [agentId, setpoints] of Object.entries(input.setpoints)) {
    const file: Record<string, DifferenceMessage> = {};
    for (const { derMrid, setpointW, setpointVar } of setpoints) {
      const key = input.key(derMrid);
      const device = input.devices.get(key);
      const refusal = refuse(agentId, derMrid, device, setpointW, setpointVar);
      if (refusal !== undefined || device === undefined) {
        findings.push(refusal ?? '');
        continue;
      }
      const limitW = Math.min(device.maxPowerW, Math.max(device.minPowerW ?? 0, setpointW));
      const last = input.applied.get(key) ?? { setpointW: device.initialW ?? device.maxPowerW, setpointVar: 0 };
      const pairs: { readonly forward: AttributeDifference; readonly reverse: AttributeDifference }[] = [];
      const isFreed =
        device.minPowerW === undefined && limitW === device.maxPowerW && last.setpointW !== device.maxPowerW;
      const changesW = isFreed || Math.abs(limitW - last.setpointW) > input.deadBandW;
      const changesVar = Math.abs(setpointVar - last.setpointVar) > input.deadBandW;
      const active = pair(device.objectMrid, ACTIVE, limitW, last.setpointW);
      if (changesW) pairs.push(active);
      if (changesVar) pairs.push(pair(device.objectMrid, REACTIVE, setpointVar, last.setpointVar));
      for (const one of pairs) {
        forward.push(one.forward);
        reverse.push(one.reverse);
      }
      if (pairs.length > 0) {
        commanded++;
        applied.set(key, {
          setpointW: changesW ? limitW : last.setpointW,
          setpointVar: changesVar ? setpointVar : last.setpointVar,
        });
      } else unchanged++;
      const shown = pairs.length > 1 ? pairs : [active];
      file[device.name] = message(
        input,
        shown.map((one) => one.forward),
        shown.map((one) => one.reverse),
      );
    }
    files[agentId] = { [agentId]: file };
  }
  return {
    difference: forward.length === 0 ? undefined : message(input, forward, reverse),
    applied,
    commanded,
    unchanged,
    files,
    findings,
  };
}

/** All set-points in force as one message, for a simulation that knows none of them; undefined when there are none. */
export function repeat(
  input: Pick<CommitInput, 'simulationId' | 'timestamp' | 'uuid' | 'devices' | 'applied'>,
): DifferenceMessage | undefined {
  const pairs = [...input.applied].flatMap(([key, { setpointW, setpointVar }]) => {
    const device = input.devices.get(key);
    if (device === undefined) return [];
    const { objectMrid, maxPowerW, initialW = maxPowerW } = device;
    return [
      ...(setpointW !== initialW ? [pair(objectMrid, ACTIVE, setpointW, initialW)] : []),
      ...(setpointVar !== 0 ? [pair(objectMrid, REACTIVE, setpointVar, 0)] : []),
    ];
  });
  if (pairs.length === 0) return undefined;
  return message(
    input,
    pairs.map(({ forward }) => forward),
    pairs.map(({ reverse }) => reverse),
  );
}

function refuse(
  agentId: string,
  derMrid: string,
  device: CommandedDevice | undefined,
  setpointW: number,
  setpointVar: number,
): string | undefined {
  if (device === undefined)
    return `${agentId} sent a set-point for ${derMrid}, which no area holds; it was not sent on.`;
  if (device.agentId !== agentId) {
    return `${agentId} sent a set-point for ${device.name}, which belongs to ${device.agentId}; it was not sent on.`;
  }
  if (!Number.isFinite(setpointW) || !Number.isFinite(setpointVar)) {
    return `${agentId} sent ${setpointW} W and ${setpointVar} var for ${device.name}; it was not sent on.`;
  }
  return undefined;
}

function pair(object: string, attribute: string, value: number, before: number) {
  return { forward: { object, attribute, value }, reverse: { object, attribute, value: before } };
}

function message(
  { simulationId, timestamp, uuid }: Pick<CommitInput, 'simulationId' | 'timestamp' | 'uuid'>,
  forward: readonly AttributeDifference[],
  reverse: readonly AttributeDifference[],
): DifferenceMessage {
  return {
    command: 'update',
    input: {
      simulation_id: simulationId,
      message: {
        timestamp,
        difference_mrid: uuid(),
        reverse_differences: reverse,
        forward_differences: forward,
      },
    },
  };
}
