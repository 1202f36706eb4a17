import * as contract from '../../../bus/contract/index.js';

/** What the page tells of a message. */
export interface DescribedMessage {
  readonly name: string;
  readonly destination: string;
  readonly example: unknown;
  /** Other bodies, by what they are for. */
  readonly moreExamples: Readonly<Record<string, unknown>>;
  /** Name of the contract in code. */
  readonly symbol: string;
  parse(body: string): unknown;
}

interface Declared extends Omit<DescribedMessage, 'symbol' | 'moreExamples'> {
  readonly moreExamples?: Readonly<Record<string, unknown>>;
  readonly alsoOn?: readonly string[];
}

function isDescribed(value: unknown): value is Declared {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'destination' in value &&
    'example' in value &&
    'parse' in value &&
    typeof value.parse === 'function'
  );
}

/** Every message of the contract under each of its destinations, by destination and then by name in code. */
export function describedMessages(): readonly DescribedMessage[] {
  return Object.entries(contract)
    .flatMap(([symbol, value]) =>
      isDescribed(value)
        ? [value.destination, ...(value.alsoOn ?? [])].map((destination) => ({
            symbol,
            name: value.name,
            destination,
            example: value.example,
            moreExamples: value.moreExamples ?? {},
            parse: value.parse,
          }))
        : [],
    )
    .sort((a, b) =>
      a.destination === b.destination ? order(a.symbol, b.symbol) : order(a.destination, b.destination),
    );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The page: every message with its destination and an example as it appears on the wire. */
export function messagePage(): string {
  const messages = describedMessages();
  const destinations = [...new Set(messages.map(({ destination }) => destination))];
  const lines = [
    '# Messages',
    '',
    'Every message on the bus, from `bus/contract`, with an example as it appears on the wire. This page is generated and its',
    'examples are read by the parsers: `npx vitest run --project check tests/unit/docs/messages.test.ts -u` writes it anew.',
    '',
    '`/topic/` reaches all subscribers, `/queue/` one of them; `<…>` marks what varies. Requests to the platform are taken on queue',
    'and topic alike, ids in every spelling, numbers also as texts; fields that are not named here are ignored. A request that cannot',
    'be carried out gets `{"error":{"message":"…"},"responseComplete":true,"id":"…"}`.',
    '',
  ];
  for (const destination of destinations) {
    lines.push(`## \`${destination}\``, '');
    for (const message of messages.filter((one) => one.destination === destination)) {
      const { symbol, name, example, moreExamples } = message;
      lines.push(`### ${name[0]!.toUpperCase()}${name.slice(1)}`, '', `In code \`${symbol}\`.`, '', ...block(example));
      for (const [what, other] of Object.entries(moreExamples)) {
        lines.push(`${what[0]!.toUpperCase()}${what.slice(1)}:`, '', ...block(other));
      }
    }
  }
  return lines.join('\n');
}

function block(example: unknown): readonly string[] {
  return typeof example === 'string'
    ? ['```text', example, '```', '']
    : ['```json', JSON.stringify(example, null, 2), '```', ''];
}
