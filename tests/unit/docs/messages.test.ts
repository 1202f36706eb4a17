import { describe, expect, it } from 'vitest';
import { patternTest } from '../../../bus/address.js';
import { FIELD_REQUESTS, PLATFORM_REQUESTS } from '../../../bus/index.js';
import { type PlatformServices, platformRoutes, routeRequests } from '../../../platform/request-router.js';
import { describedMessages, messagePage } from './message-page.js';

const messages = describedMessages();
const written = messages.flatMap(({ symbol, destination, example, moreExamples, parse }) =>
  [example, ...Object.values(moreExamples)].map((body, i) => ({
    what: `${symbol} ${i} on ${destination}`,
    body,
    parse,
  })),
);
const nameOf = (destination: string) => destination.replace(/^\/(queue|topic)\//, '');

/** The destinations that the platform takes messages on, as it asks its hub for them. */
function claimed(): readonly string[] {
  const patterns: string[] = [];
  const hub = {
    claim(pattern: string) {
      patterns.push(nameOf(pattern));
      return { unsubscribe: () => undefined };
    },
  };
  routeRequests({ hub } as unknown as PlatformServices);
  return patterns;
}

describe('docs/messages.md', () => {
  it('has the messages of the platform and of the coordination', () => {
    // Some seventy kinds are declared; far fewer would mean that the contract is not found.
    expect(messages.length).toBeGreaterThan(70);
  });

  it.each(written)('has an example that its parser reads: $what', ({ body, parse }) => {
    expect(parse(typeof body === 'string' ? body : JSON.stringify(body))).toBeDefined();
  });

  const requests = [...platformRoutes({} as PlatformServices).keys()];
  it.each(requests)('has request and answer of %s', (name) => {
    expect(messages.filter(({ destination }) => nameOf(destination) === name).length).toBeGreaterThanOrEqual(2);
  });

  it.each(claimed())('has a section for what the platform takes on %s', (pattern) => {
    const known = [nameOf(PLATFORM_REQUESTS), nameOf(FIELD_REQUESTS)];
    const matches = patternTest(pattern);
    const sections = messages.filter(({ destination }) => matches(nameOf(destination)));
    expect(sections.length).toBeGreaterThan(known.includes(pattern) ? 1 : 0);
  });

  it('is what the contract says now', async () => {
    await expect(messagePage()).toMatchFileSnapshot('../../../docs/messages.md');
  });
});
