import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { type ManifestFeeder, manifestFeederSchema } from './model-folder.js';

/*
 * What a list of feeders says of a file, kept beside it, so that a list needs no model: the built-in feeder takes a second to
 * read, and most who start a platform ask for another. It holds for the very bytes it was made from and no others.
 */

const listingSchema = z.strictObject({ sha256: z.string(), feeders: z.array(manifestFeederSchema) });

/** Name of the listing of a model file. */
export function listingPath(path: string): string {
  return path.replace(/\.xml$/i, '.listing.json');
}

/** The feeders of a file as its listing has them; undefined where there is none that holds for the file as it is. */
export function listingOf(path: string): readonly ManifestFeeder[] | undefined {
  const listing = listingPath(path);
  if (listing === path || !existsSync(listing) || !existsSync(path)) return undefined;
  const { data } = listingSchema.safeParse(jsonOf(listing));
  return data?.sha256 === digestOf(path) ? data.feeders : undefined;
}

/** The text of a listing. */
export function formatListing(path: string, feeders: readonly ManifestFeeder[]): string {
  return `${JSON.stringify({ sha256: digestOf(path), feeders }, null, 2)}\n`;
}

function digestOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** A listing that cannot be read is none: the model itself is read then. */
function jsonOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
