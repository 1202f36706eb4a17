import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nameUuid, sha1 } from '../../../grid/model/index.js';

describe('name-based UUIDs', () => {
  it('equal those of RFC 9562 appendix A.4 and of the Python documentation', () => {
    // RFC 9562, A.4: name space DNS, name www.example.com.
    expect(nameUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
    // docs.python.org, module uuid, example of uuid5.
    expect(nameUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'python.org')).toBe('886313e1-3b8a-5372-9b90-0c9aee199e5d');
  });

  it('rest on a SHA-1 that equals that of node:crypto around the block boundaries', () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + 3) & 0xff);
      expect(Buffer.from(sha1(bytes)).toString('hex')).toBe(createHash('sha1').update(bytes).digest('hex'));
    }
  });
});
