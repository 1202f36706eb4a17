import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { DecError } from '../grid/math/index.js';

/** A value that is refused and not told again, for it may hold a password; commander would put it before the sentence. */
export class UntoldArgumentError extends InvalidArgumentError {
  /** @param option - as it is written on the command line */
  constructor(
    message: string,
    readonly option: string,
  ) {
    super(message);
    // What commander knows errors of values by.
    this.code = 'dec.untoldArgument';
  }
}

/** A finite number; anything else is a usage error. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

/** A number of at least zero. */
export function nonNegative(text: string): number {
  const value = number(text);
  if (value < 0) throw new InvalidArgumentError('It must not be negative.');
  return value;
}

/** A number above zero. */
export function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('It must be above zero.');
  return value;
}

/** A whole number of at least one. */
export function count(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

/** A whole number of at least zero. */
export function nonNegativeCount(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number of at least 0.');
  return value;
}

/** A TCP port; 0 lets the system choose. */
export function port(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  }
  return value;
}

/** A voltage in per unit: 0.5 to 1.5, so that volts or per cent given by mistake are noticed. */
export function perUnit(text: string): number {
  const value = number(text);
  if (value < 0.5 || value > 1.5) throw new InvalidArgumentError('It must be in per unit, between 0.5 and 1.5.');
  return value;
}

const UNIT_S = { s: 1, m: 60, h: 3600 } as const;

/** A duration such as `15m`, `30s`, `1h` or plain seconds, in seconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(s|m|h)?$/.exec(text.trim());
  const seconds = match ? Number(match[1]) * UNIT_S[(match[2] ?? 's') as keyof typeof UNIT_S] : Number.NaN;
  if (!(seconds > 0)) throw new InvalidArgumentError('It must be a duration such as 30s, 15m or 1h.');
  return seconds;
}

/** A time of day `HH:MM`, in seconds after midnight. */
export function timeOfDay(text: string): number {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  const hours = Number(match?.[1]);
  const minutes = Number(match?.[2]);
  if (!match || hours > 23 || minutes > 59) throw new InvalidArgumentError('It must be a time of day such as 10:30.');
  return hours * 3600 + minutes * 60;
}

/** A picture to write. Without the ending it may be a model, or the feeder that stands behind the option. */
export function svgFile(text: string): string {
  if (!/[^/\\]\.svg$/i.test(text)) {
    throw new InvalidArgumentError('It must be a file that ends in .svg; a feeder goes before the option.');
  }
  return text;
}

/** `on` or `off`. */
export function onOff(text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('It must be on or off.');
  return text === 'on';
}

/** One of a list of words; the message names them. */
export function oneOf<T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((one) => one === text);
    if (word === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
    return word;
  };
}

/** Words separated by commas. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** Schemes of TLS; the second is how ActiveMQ writes it. */
const SECURE: readonly string[] = ['stomps:', 'stomp+ssl:', 'ssl:'];

/** Where a broker listens, and with what to log in. */
export interface BrokerUrl {
  readonly host: string;
  readonly port: number;
  readonly login?: string;
  readonly passcode?: string;
  /** Virtual host of RabbitMQ. */
  readonly virtualHost?: string;
  /** Whether TLS is spoken, and which authorities are trusted beside the system's own ones. */
  readonly tls?: { readonly ca?: string };
}

/**
 * The broker of `--broker` with what `--broker-ca` names.
 * @throws DecError `BAD_ARGUMENT` when the file cannot be read, or the address is not one of TLS
 */
export function trusting<Broker extends BrokerUrl | undefined>(broker: Broker, file: string | undefined): Broker {
  if (file === undefined) return broker;
  if (broker?.tls === undefined) {
    throw new DecError('BAD_ARGUMENT', '--broker-ca is for a broker behind TLS: --broker stomps://host:port.', {
      file,
    });
  }
  try {
    return { ...broker, tls: { ca: readFileSync(file, 'utf8') } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DecError('BAD_ARGUMENT', `--broker-ca ${file} cannot be read: ${reason}.`, { file });
  }
}

/**
 * `stomp://[user[:password]@]host[:port][/virtual-host]`, or `stomps://` for TLS; the port is 61613 when it is not given. The
 * password of a user without one is that of the environment, `DEC_PASSWORD`: there it stands as it is, and in no list of processes.
 */
export function brokerUrl(text: string): BrokerUrl {
  const wrong = () =>
    new UntoldArgumentError(
      'It must be of the form stomp[s]://[user[:password]@]host[:port][/virtual-host]. In a password, %, /, #, ? and @ are written %25, %2F, %23, %3F and %40; or leave it out and put it into DEC_PASSWORD.',
      '--broker',
    );
  const plain = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      throw wrong();
    }
  };
  let url: URL;
  try {
    url = new URL(text.includes('://') ? text : `stomp://${text}`);
  } catch {
    throw wrong();
  }
  if (!['stomp:', 'tcp:', ...SECURE].includes(url.protocol) || url.hostname === '') throw wrong();
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 61_613 : Number(url.port),
    ...(SECURE.includes(url.protocol) ? { tls: {} } : {}),
    ...(url.username === '' ? {} : { login: plain(url.username) }),
    ...(url.username === '' ? {} : { passcode: plain(url.password) || (process.env['DEC_PASSWORD'] ?? '') }),
    ...(url.pathname.length < 2 ? {} : { virtualHost: plain(url.pathname.slice(1)) }),
  };
}

/** Origins of web pages as browsers write them, one by one, or `*`: what differs in any letter would match no page. */
export function webOrigins(text: string, earlier: readonly string[] = []): readonly string[] {
  if (text === '*') return [...earlier, text];
  const { origin } = URL.canParse(text) ? new URL(text) : { origin: 'null' };
  if (origin === 'null') throw new InvalidArgumentError('It must be an origin, e.g. https://ops.example:8443, or *.');
  if (origin !== text) throw new InvalidArgumentError(`No browser writes it like that; write ${origin}.`);
  return [...earlier, text];
}
