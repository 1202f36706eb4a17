import { nameUuid } from '../grid/model/index.js';

/** Namespace of the ids of difference messages, a UUID of our own. */
const NAMESPACE = '6f2d1a52-9c7b-5e0e-8a4f-0d7c3b1e9a55';

/**
 * Ids that are the same for the same seed and the same run, one after the other.
 *
 * @param run - what tells the run from others: with one seed alone different set-points would have the same ids
 */
export function seededUuid(seed: number, run: unknown = ''): () => string {
  let next = 0;
  const mark = JSON.stringify(run);
  return () => nameUuid(NAMESPACE, `${seed}:${mark}:${next++}`);
}
