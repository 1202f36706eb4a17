import { z } from 'zod';
import type { FeedbackState, StarMemory } from '../../grid/optim/index.js';

/*
 * What a coordinator leaves to its successor besides set-points and results, and its form in a file. Without it a successor
 * still does everything right; its first interval takes the rounds of a first one.
 *
 * Size: 120 bytes for each node of a port, 22 for each node and unit of the primary, 40 for each battery, and under rule
 * feedback up to 96 intervals of 80 bytes for each PV system.
 */

/** What a coordinator itself leaves. */
export interface CoordinatorLegacy {
  /** Prices, penalty, consensus and linearisation of the primary. */
  readonly star?: StarMemory;
  /** Stored energy by battery before the first step of a run that plans ahead, and as the last order should leave it, Wh. */
  readonly plan?: {
    readonly begin: Readonly<Record<string, number>>;
    readonly expected: Readonly<Record<string, number>>;
  };
}

/** What a run leaves. */
export interface RunLegacy extends CoordinatorLegacy {
  /** The interval that it was written in, after its rounds and before its set-points were sent. */
  readonly interval: number;
  /** Hosts that carried agents, which know their linearisation: their successor waits for them. */
  readonly hosts?: readonly string[];
  /** What was served to whom before that interval, under rule feedback. */
  readonly feedback?: FeedbackState;
}

/** Numbers as base64 of their bytes. */
const numbers = z.base64().transform((text, context) => {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  if (bytes.length % Float64Array.BYTES_PER_ELEMENT !== 0) {
    context.addIssue('numbers of eight bytes expected');
    return z.NEVER;
  }
  const values = new Float64Array(bytes.buffer);
  if (values.every(Number.isFinite)) return values;
  context.addIssue('finite numbers expected');
  return z.NEVER;
});
const exchange = z.object({ power: numbers, reactive: numbers, voltage: numbers });
const quantities = z.record(z.string(), z.number());
const star = z
  .object({
    rho: z.number().positive(),
    answer: exchange,
    z: exchange,
    price: exchange,
    uncurtailed: numbers.optional(),
    hasVoltage: numbers,
    ownAlpha: numbers,
    multipliers: numbers,
    correctionSquaredPu: numbers,
  })
  .refine(({ answer, z: copy, price, uncurtailed, hasVoltage }) => {
    const lists = [answer, copy, price].flatMap(({ power, reactive, voltage }) => [power, reactive, voltage]);
    return [...lists, hasVoltage, uncurtailed ?? hasVoltage].every(({ length }) => length === hasVoltage.length);
  }, 'lists of equal length expected')
  .transform(({ hasVoltage, uncurtailed, ...rest }): StarMemory => {
    return { ...rest, uncurtailed, hasVoltage: Uint8Array.from(hasVoltage) };
  });

const schema = z.object({
  mark: z.string(),
  interval: z.int().nonnegative(),
  hosts: z.array(z.string()).exactOptional(),
  star: star.exactOptional(),
  plan: z.object({ begin: quantities, expected: quantities }).exactOptional(),
  feedback: z
    .object({
      intervals: z.array(z.object({ availableWh: quantities, servedWh: quantities })),
      factors: quantities,
    })
    .exactOptional(),
});

/** @param mark - tells which run it is of */
export function writeLegacy({ star: memory, ...legacy }: RunLegacy, mark: string): string {
  return JSON.stringify({ ...legacy, mark, ...(memory === undefined ? {} : { star: written(memory) }) });
}

/** What a run with that mark has left; undefined when it is another one's, or damaged. */
export function readLegacy(text: string, mark: string): RunLegacy | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { data } = schema.safeParse(parsed);
  if (data === undefined || data.mark !== mark) return undefined;
  const { mark: _mark, ...legacy } = data;
  return legacy;
}

function written({ rho, answer, z: copy, price, uncurtailed, hasVoltage, ...rest }: StarMemory) {
  const blocks = ({ power, reactive, voltage }: StarMemory['z']) => ({
    power: base64(power),
    reactive: base64(reactive),
    voltage: base64(voltage),
  });
  return {
    rho,
    answer: blocks(answer),
    z: blocks(copy),
    price: blocks(price),
    uncurtailed: uncurtailed && base64(uncurtailed),
    hasVoltage: base64(Float64Array.from(hasVoltage)),
    ownAlpha: base64(rest.ownAlpha),
    multipliers: base64(rest.multipliers),
    correctionSquaredPu: base64(rest.correctionSquaredPu),
  };
}

function base64({ buffer, byteOffset, byteLength }: Float64Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}
