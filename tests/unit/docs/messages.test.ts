import { describe, expect, it } from 'vitest';
import { describedMessages, messagePage } from './message-page.js';

describe('docs/messages.md', () => {
  const messages = describedMessages();

  it('has the messages of the platform and of the coordination', () => {
    // Some forty kinds are declared; far fewer would mean that the contract is not found.
    expect(messages.length).toBeGreaterThan(35);
  });

  it.each(messages)('has an example of the $name ($symbol) that its parser reads', ({ example, parse }) => {
    const body = typeof example === 'string' ? example : JSON.stringify(example);
    expect(parse(body)).toBeDefined();
    // Nothing of an example is only decoration: a body without it is another message.
    if (typeof example === 'object' && example !== null) expect(Object.keys(example).length).toBeGreaterThan(0);
  });

  it('is what the contract says now', async () => {
    await expect(messagePage()).toMatchFileSnapshot('../../../docs/messages.md');
  });
});
