import { BusError } from './bus-error.js';

/** Kinds of destinations. Temporary ones belong to the connection that made them. */
export type AddressKind = 'topic' | 'queue' | 'temp-queue' | 'temp-topic';

/** A destination, read. */
export interface Address {
  readonly kind: AddressKind;
  /** Name without prefix; of a temporary one with its owner in front, `<owner>:<name>`. */
  readonly name: string;
}

const PREFIXES: readonly (readonly [string, AddressKind])[] = [
  ['/topic/', 'topic'],
  ['/queue/', 'queue'],
  ['/temp-queue/', 'temp-queue'],
  ['/temp-topic/', 'temp-topic'],
  ['/remote-temp-queue/', 'temp-queue'],
  ['/remote-temp-topic/', 'temp-topic'],
];

/**
 * Reads a destination. A bare name is a queue, as in ActiveMQ.
 * @param owner the connection whose temporary names are meant; `/remote-temp-…/` names carry their owner themselves
 * @throws BusError `BAD_ARGUMENT` for an empty name
 */
export function parseAddress(destination: string, owner: string): Address {
  for (const [prefix, kind] of PREFIXES) {
    if (!destination.startsWith(prefix)) continue;
    const name = destination.slice(prefix.length);
    if (name === '') break;
    return { kind, name: prefix.startsWith('/temp-') ? `${owner}:${name}` : name };
  }
  if (destination.trim() === '' || PREFIXES.some(([prefix]) => destination === prefix)) {
    throw new BusError('BAD_ARGUMENT', `"${destination}" is no destination: a name is missing.`, { destination });
  }
  return { kind: 'queue', name: destination };
}

/** One text per address; the key under which it is kept. */
export function addressKey({ kind, name }: Address): string {
  return `/${kind}/${name}`;
}

/**
 * How a destination is shown to one connection: its own temporary names as it made them, those of others as
 * `/remote-temp-…/` names it can send to.
 */
export function addressFor(address: Address, owner: string): string {
  const { kind, name } = address;
  if (kind === 'topic' || kind === 'queue') return `/${kind}/${name}`;
  const own = `${owner}:`;
  return name.startsWith(own) ? `/${kind}/${name.slice(own.length)}` : `/remote-${kind}/${name}`;
}

/** Whether a name is a pattern: `*` stands for one level between dots, `>` at the end for all the rest. */
export function isPattern(name: string): boolean {
  return /(^|\.)[*>](\.|$)/.test(name);
}

/** Whether a name has a `>` with something other behind it. */
function hasStrayRest(name: string): boolean {
  const levels = name.split('.');
  return levels.slice(0, levels.findLastIndex((level) => level !== '>') + 1).includes('>');
}

/** What is odd about a name that is subscribed to, or permitted; undefined when nothing is. */
export function patternFault(name: string): string | undefined {
  if (hasStrayRest(name) || name.split('.').some((level) => level !== '>' && level.includes('>'))) {
    return '">" stands for the rest of a name as the whole of its last level only, elsewhere for itself; "*" stands for one level in any place';
  }
  if (name.split('.').includes('')) {
    return 'a level of it is empty (a dot at its beginning or end, or beside another one), and stands for an empty level alone';
  }
  return undefined;
}

/**
 * Reads a destination that one of this package's own buses is to subscribe to. Empty levels pass: they are names to every broker.
 * @throws BusError `BAD_ARGUMENT` for an empty name, and for a `>` that is not at the end
 */
export function parseSubscription(destination: string, owner: string): Address {
  const address = parseAddress(destination, owner);
  const isNamed = address.kind === 'topic' || address.kind === 'queue';
  if (!isNamed || !hasStrayRest(address.name)) return address;
  const text = `"${destination}" cannot be subscribed to: ${patternFault(address.name)}.`;
  throw new BusError('BAD_ARGUMENT', text, { destination });
}

/** A test for names against a pattern. Several `>` at its end are one, as in ActiveMQ; anywhere else it stands for itself. */
export function patternTest(pattern: string): (name: string) => boolean {
  if (!isPattern(pattern)) return (name) => name === pattern;
  const parts = pattern.split('.');
  const hasRest = parts.at(-1) === '>';
  const fixed = hasRest ? parts.slice(0, parts.findLastIndex((part) => part !== '>') + 1) : parts;
  return (name) => {
    const given = name.split('.');
    if (hasRest ? given.length < fixed.length : given.length !== fixed.length) return false;
    return fixed.every((part, i) => part === '*' || part === given[i]);
  };
}
