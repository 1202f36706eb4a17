import { z } from 'zod';
import type { AttributeDifference, SimulationMeasurement } from '../../bus/index.js';
import { canonicalMrid } from '../../grid/model/index.js';

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

const eventSchema = z.discriminatedUnion('event_type', [outageSchema, commandSchema]);

type Event = z.infer<typeof eventSchema>;

/** The planned events of a simulation: outages of communication and scheduled commands. */
export interface EventSchedule {
  /** What was planned and cannot be carried out, one line each. */
  readonly problems: readonly string[];
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

/** Reads the events of a simulation request. Faults and unknown kinds are named in `problems`. */
export function createEventSchedule(written: readonly Readonly<Record<string, unknown>>[]): EventSchedule {
  const problems: string[] = [];
  const events: Event[] = [];
  written.forEach((event, i) => {
    const result = eventSchema.safeParse(event);
    if (result.success) events.push(result.data);
    else if (event['event_type'] === 'Fault')
      problems.push(`Event ${i} is a Fault, which this platform does not carry out.`);
    else {
      const [issue] = result.error.issues;
      problems.push(
        `Event ${i} is ignored: ${issue?.path.join('.') || 'event_type'}: ${issue?.message ?? 'malformed'}`,
      );
    }
  });
  const planned = events.flatMap((event) =>
    event.event_type === 'ScheduledCommandEvent'
      ? [
          { atS: event.occuredDateTime, list: event.message.forward_differences },
          { atS: event.stopDateTime, list: event.message.reverse_differences },
        ]
      : [],
  );
  planned.sort((a, b) => a.atS - b.atS);
  const outages = (epochS: number) =>
    events.flatMap((event) =>
      event.event_type === 'CommOutage' && event.occuredDateTime <= epochS && epochS < event.stopDateTime
        ? [event]
        : [],
    );
  return {
    problems,
    commandsDue(epochS) {
      const due: AttributeDifference[] = [];
      while (planned[0] && planned[0].atS <= epochS) due.push(...planned.shift()!.list);
      return due;
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
