import { nameUuid } from '../grid/model/index.js';

/** Namespace of the ids of difference messages, a UUID of our own. */
const NAMESPACE = '6f2d1a52-9c7b-5e0e-8a4f-0d7c3b1e9a55';

/** Ids that are the same for the same seed, one after the other. */
export function seededUuid(seed: number): () => string {
  let next = 0;
  return () => nameUuid(NAMESPACE, `${seed}:${next++}`);
}
