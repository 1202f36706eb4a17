import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import {
  AUTHENTICATION_FAILED,
  type BusAction,
  type BusUser,
  type Credentials,
  checkPassword,
  hashPassword,
  isPasswordHash,
  isToken,
  permissionsOf,
  TOKEN_LENGTH_MIN,
  tokenRequest,
} from '../bus/index.js';
import type { Clock } from './clock.js';

/** A user of the platform; its password is plain text, or a record of `hashPassword`. */
export type PlatformUser = BusUser;

/** The users the real platform ships with; fit for the loopback interface only. */
export const DEFAULT_USERS: Readonly<Record<string, PlatformUser>> = {
  system: {
    password: 'manager',
    roles: ['user', 'operator', 'service', 'application', 'testmanager', 'evaluator', 'admin'],
  },
  app_user: { password: '1234App', roles: ['user', 'application'] },
  app_reg: { password: '1234App', roles: ['user', 'application'] },
  service_user: { password: '1234Svc', roles: ['user', 'service'] },
  operator1: { password: 'operator', roles: ['user', 'operator'] },
  testmanager1: { password: 'testmanager', roles: ['user', 'testmanager'] },
  test_app_user: { password: '4Test', roles: ['user', 'application'] },
  tutorial_user: { password: '12345!', roles: ['user', 'application'] },
};

/** The platform's name in its tokens. */
const ISSUER = 'GridOPTICS Software System';
/** How long a token is good, s: five days, as on the real platform. */
const LIFETIME_S = 5 * 86_400;

/** Hands out tokens and checks logins. Tokens are signed with a secret of this run, so none outlives it. */
export interface TokenService {
  /** The user a login and passcode belong to: a token with an empty passcode, or name and password. */
  authenticate(login: string, passcode: string): string | undefined | Promise<string | undefined>;
  /** Answers a token request: the token, or the text of refusal. */
  answer(body: string): string | Promise<string>;
  /** Whether a user as logged in may send to a destination, or subscribe to it. */
  authorize(login: string, action: BusAction, destination: string): boolean;
  /** Name of a user as logged in: a name or a token; empty for a token that is none. */
  userOf(login: string): string;
  /** Roles of a user as logged in: a name or a token. */
  roles(login: string): readonly string[];
}

/** Makes the token service. */
export function createTokenService(
  clock: Pick<Clock, 'nowMs'>,
  users: Readonly<Record<string, PlatformUser>> = DEFAULT_USERS,
): TokenService {
  const secret = randomBytes(32);
  const known = new Map(Object.entries(users));
  const issued = new Map<string, { readonly token: string; readonly expiresS: number }>();
  const sign = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url');

  const issue = (user: string): string => {
    const nowS = Math.floor(clock.nowMs() / 1000);
    const last = issued.get(user);
    if (last && last.expiresS > nowS + LIFETIME_S / 2) return last.token;
    const expiresS = nowS + LIFETIME_S;
    const claims = {
      sub: user,
      iss: ISSUER,
      nbf: nowS,
      iat: nowS,
      exp: expiresS,
      jti: randomUUID(),
      roles: known.get(user)?.roles ?? [],
    };
    let token = '';
    // Brokers tell tokens from names by their length, so a short one gets a claim that makes it long enough.
    for (let padding = 0; token.length <= TOKEN_LENGTH_MIN; padding += 32) {
      const payload = padding === 0 ? claims : { ...claims, pad: 'x'.repeat(padding) };
      const text = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(payload)}`;
      token = `${text}.${sign(text)}`;
    }
    issued.set(user, { token, expiresS });
    return token;
  };

  const verify = (token: string): string | undefined => {
    const [header, payload, signature, ...rest] = token.split('.');
    if (!header || !payload || !signature || rest.length > 0) return undefined;
    if (!isSame(sign(`${header}.${payload}`), signature)) return undefined;
    // Only what this service signed comes here, so the payload is the one written above.
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('sub' in claims) || !('exp' in claims)) return undefined;
    const { sub, exp } = claims;
    if (typeof sub !== 'string' || typeof exp !== 'number' || exp * 1000 <= clock.nowMs()) return undefined;
    return sub;
  };

  const permissions = new Map([...known].map(([name, user]) => [name, permissionsOf(user)] as const));
  const hasHashes = [...known.values()].some(({ password }) => isPasswordHash(password));
  /** What a password that was right once looks like to this run: the cost of a guess is for those who guess. */
  const proven = new Map<string, string>();
  let stranger: Promise<string> | undefined;

  const checkHash = async (user: PlatformUser | undefined, { login, passcode }: Credentials) => {
    const proof = sign(`${login}\n${passcode}`);
    if (user !== undefined && isSame(proven.get(login) ?? '', proof)) return login;
    // A name that nobody has takes as long as a wrong password.
    stranger ??= hashPassword(randomUUID());
    const isRight = await checkPassword(user?.password ?? (await stranger), passcode);
    if (!isRight || user === undefined) return undefined;
    proven.set(login, proof);
    return login;
  };

  const check = (credentials: Credentials): string | undefined | Promise<string | undefined> => {
    const { login, passcode } = credentials;
    const user = known.get(login);
    if (user === undefined ? hasHashes : isPasswordHash(user.password)) return checkHash(user, credentials);
    return user && isSame(user.password, passcode) ? login : undefined;
  };

  const authenticate = (login: string, passcode: string): string | undefined | Promise<string | undefined> =>
    isToken({ login, passcode }) ? verify(login) : check({ login, passcode });
  const nameOf = (login: string): string => (login.length > TOKEN_LENGTH_MIN ? (verify(login) ?? '') : login);

  return {
    authenticate,
    answer(body) {
      const token = (user: string | undefined): string => (user === undefined ? AUTHENTICATION_FAILED : issue(user));
      const user = check(tokenRequest.parse(body));
      return user instanceof Promise ? user.then(token) : token(user);
    },
    authorize: (login, action, destination) => permissions.get(nameOf(login))?.(action, destination) ?? false,
    userOf: nameOf,
    roles: (login) => known.get(nameOf(login))?.roles ?? [],
  };
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}

/** Compares in a time that does not depend on where two texts differ. */
function isSame(left: string, right: string): boolean {
  const a = createHmac('sha256', 'comparison').update(left).digest();
  const b = createHmac('sha256', 'comparison').update(right).digest();
  return timingSafeEqual(a, b);
}
