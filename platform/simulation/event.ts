import { z } from 'zod';
import type { AttributeDifference, SimulationEvent, SimulationMeasurement } from '../../bus/index.js';
import { canonicalMrid } from '../../grid/model/index.js';
import { FAULT_ATTRIBUTE, faultSchema } from './fault.js';

const time = z.union([z.number(), z.string()]).transform((written) => {
  const number = Number(written);
  return Number.isFinite(number) ? number : Date.parse(String(written)) / 1000;
});
const flag = z.union([z.boolean(), z.string()]).transform((written) => String(written).toLowerCase() === 'true');
const differences = z
  .array(z.object({ object: z.string(), attribute: z.string(), value: z.unknown() }))
  .nullish()
  .transform((list) => list ?? []);

const base = { occuredDateTime: time, stopDateTime: time };

const outageSchema = z.object({
  ...base,
  event_type: z.literal('CommOutage'),
  allOutputOutage: flag.default(false),
  allInputOutage: flag.default(false),
  inputOutageList: z.array(z.object({ objectMRID: z.string(), attribute: z.string() })).default([]),
  outputOutageList: z.array(z.string()).default([]),
});

const commandSchema = z.object({
  ...base,
  event_type: z.literal('ScheduledCommandEvent'),
  message: z.object({ forward_differences: differences, reverse_differences: differences }),
});

const mrids = z.union([z.string(), z.array(z.string())]).transform((written) => [written].flat());

const faultEventSchema = z.object({ ...base, event_type: z.literal('Fault'), ObjectMRID: mrids }).and(faultSchema);

const eventSchema = z.union([z.discriminatedUnion('event_type', [outageSchema, commandSchema]), faultEventSchema]);

/** The forms by their names, for errors that say what is wrong with one. */
const FORMS: Readonly<Record<string, z.ZodType<unknown>>> = {
  CommOutage: outageSchema,
  ScheduledCommandEvent: commandSchema,
  Fault: faultEventSchema,
};

type Event = z.infer<typeof eventSchema>;

/** Where an event stands. */
export type EventStatus = 'SCHEDULED' | 'INITIATED' | 'CLEARED';

/** The planned events of a simulation: outages of communication, faults and scheduled commands. */
export interface EventSchedule {
  /**
   * Plans further events. One with the `faultMRID` of a planned event takes its place.
   * @returns what cannot be carried out, one line each
   */
  plan(written: readonly Readonly<Record<string, unknown>>[]): readonly string[];
  /** The planned events as they were written, with where they stand at a time, epoch seconds. */
  list(epochS: number): readonly SimulationEvent[];
  /** Commands that fall due up to a time, epoch seconds; each is given once. */
  commandsDue(epochS: number): readonly AttributeDifference[];
  /** The differences that get through at a time. */
  admit(list: readonly AttributeDifference[], epochS: number): readonly AttributeDifference[];
  /** The measurements that get through at a time. */
  publishable(
    measurements: Readonly<Record<string, SimulationMeasurement>>,
    epochS: number,
  ): Readonly<Record<string, SimulationMeasurement>>;
}

interface Planned {
  readonly written: Readonly<Record<string, unknown>>;
  readonly event: Event;
  /** Commands of a ScheduledCommandEvent that were not given yet. */
  readonly commands: { readonly atS: number; readonly list: readonly AttributeDifference[] }[];
}

/** What an event does to the grid at its start and at its end. */
function commandsOf(event: Event): Planned['commands'] {
  const { occuredDateTime, stopDateTime } = event;
  if (event.event_type === 'ScheduledCommandEvent') {
    const { forward_differences, reverse_differences } = event.message;
    return [
      { atS: occuredDateTime, list: forward_differences },
      { atS: stopDateTime, list: reverse_differences },
    ];
  }
  if (event.event_type !== 'Fault') return [];
  const set = (value: unknown): readonly AttributeDifference[] =>
    event.ObjectMRID.map((object) => ({ object, attribute: FAULT_ATTRIBUTE, value }));
  const { PhaseConnectedFaultKind, FaultImpedance, PhaseCode, phases } = event;
  return [
    { atS: occuredDateTime, list: set({ PhaseConnectedFaultKind, FaultImpedance, PhaseCode: PhaseCode ?? phases }) },
    { atS: stopDateTime, list: set(null) },
  ];
}

/** Makes an empty schedule. Unknown kinds are refused with a line that names them. */
export function createEventSchedule(): EventSchedule {
  let planned: Planned[] = [];

  const planOne = (written: Readonly<Record<string, unknown>>, i: number): string | undefined => {
    const result = eventSchema.safeParse(written);
    if (!result.success) {
      const kind = String(written['event_type'] ?? '');
      const form = Object.hasOwn(FORMS, kind) ? FORMS[kind] : undefined;
      if (!form)
        return `Event ${i} is ignored: event_type "${kind}" is unknown; known are ${Object.keys(FORMS).join(', ')}.`;
      const issue = form.safeParse(written).error?.issues[0];
      return `Event ${i} (${kind}) is ignored: ${issue?.path.join('.') || 'event_type'}: ${issue?.message ?? 'malformed'}`;
    }
    const event = result.data;
    const mrid = written['faultMRID'];
    if (mrid !== undefined) planned = planned.filter((one) => one.written['faultMRID'] !== mrid);
    const commands = commandsOf(event);
    planned.push({ written, event, commands });
    return undefined;
  };

  const statusAt = ({ event }: Planned, epochS: number): EventStatus => {
    if (epochS < event.occuredDateTime) return 'SCHEDULED';
    return epochS < event.stopDateTime ? 'INITIATED' : 'CLEARED';
  };

  const outages = (epochS: number) =>
    planned.flatMap(({ event }) =>
      event.event_type === 'CommOutage' && event.occuredDateTime <= epochS && epochS < event.stopDateTime
        ? [event]
        : [],
    );
  return {
    plan: (written) => written.flatMap((event, i) => planOne(event, i) ?? []),
    list: (epochS) => planned.map((one) => ({ ...one.written, status: statusAt(one, epochS) })),
    commandsDue(epochS) {
      const due: { readonly atS: number; readonly list: readonly AttributeDifference[] }[] = [];
      for (const { commands } of planned) {
        while (commands[0] && commands[0].atS <= epochS) due.push(commands.shift()!);
      }
      return due.sort((a, b) => a.atS - b.atS).flatMap(({ list }) => list);
    },
    admit(list, epochS) {
      const active = outages(epochS);
      if (active.length === 0) return list;
      if (active.some(({ allInputOutage }) => allInputOutage)) return [];
      const key = (mrid: string, attribute: string) => `${canonicalMrid(mrid).toUpperCase()} ${attribute}`;
      const hidden = new Set(
        active.flatMap(({ inputOutageList }) =>
          inputOutageList.map(({ objectMRID, attribute }) => key(objectMRID, attribute)),
        ),
      );
      return list.filter(({ object, attribute }) => !hidden.has(key(object, attribute)));
    },
    publishable(measurements, epochS) {
      const active = outages(epochS);
      if (active.length === 0) return measurements;
      if (active.some(({ allOutputOutage }) => allOutputOutage)) return {};
      const hidden = new Set(
        active.flatMap(({ outputOutageList }) => outputOutageList.map((mrid) => canonicalMrid(mrid))),
      );
      return Object.fromEntries(Object.entries(measurements).filter(([mrid]) => !hidden.has(canonicalMrid(mrid))));
    },
  };
}
