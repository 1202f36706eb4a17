import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { DecError } from '../../grid/math/index.js';
import type { GivenFile } from '../../web/index.js';

/** Largest body that is taken: the built-in feeder is 14 MB of XML. */
export const LARGEST_BODY_BYTES = 64e6;
/** Files that are taken at once. */
const MOST_FILES = 200;

const givenFiles = z.strictObject({
  files: z
    .array(z.strictObject({ name: z.string().min(1).max(255), text: z.string() }))
    .min(1)
    .max(MOST_FILES),
});

/** The files in a body. @throws DecError `BAD_ARGUMENT` when it is too large, cut off, or no such list */
export async function filesOf(request: IncomingMessage): Promise<readonly GivenFile[]> {
  const tooLarge = () =>
    new DecError(
      'BAD_ARGUMENT',
      `Files of more than ${LARGEST_BODY_BYTES / 1e6} MB are not read here: "dec powerflow FILE".`,
    );
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY_BYTES) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request) {
      bytes += part.length;
      if (bytes > LARGEST_BODY_BYTES) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof DecError) throw error;
    throw new DecError('BAD_ARGUMENT', 'The files were not sent to their end.', {}, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    throw new DecError('BAD_ARGUMENT', 'The files could not be read: their list is no JSON.', {}, { cause: error });
  }
  const { data, error } = givenFiles.safeParse(value);
  if (data) return data.files;
  const [issue] = error.issues;
  throw new DecError('BAD_ARGUMENT', `The files could not be read: ${issue?.path.join('.')}: ${issue?.message}.`);
}
