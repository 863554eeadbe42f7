// Finds the images of sent files when they are READY or REJECTED.

import { call } from './api.js';

// After this time an image may no longer be among the newest ones, so it is requested by its id.
const LOOK_UP_AFTER_MS = 15_000;

/**
 * Returns pairs of entry and image for the pending files `{id, sentAt, lookedUpAt}` that have a result.
 *
 * One request per status returns the newest images. Images of others may push a pending one out of that list. Then the
 * pending file that was looked up least recently is requested by its id. `onError(error)` is called for an error.
 */
export async function findResults(pending, onError) {
  const get = (path) => call('GET', path).catch((error) => void onError(error));
  const entriesById = new Map(pending.map((entry) => [entry.id, entry]));
  const results = [];
  let hasMorePages = false;
  for (const status of ['READY', 'REJECTED']) {
    const query = new URLSearchParams({ status, limit: Math.min(100, 2 * pending.length + 10) });
    const page = await get(`images?${query}`);
    if (!page) return results;
    hasMorePages ||= Boolean(page.next_cursor);
    const images = page.images.filter((image) => entriesById.has(image.image_id));
    results.push(...images.map((image) => [entriesById.get(image.image_id), image]));
    if (results.length === pending.length) return results;
  }
  const finished = new Set(results.map(([entry]) => entry));
  const isLate = (entry) => Date.now() - entry.sentAt > LOOK_UP_AFTER_MS && !finished.has(entry);
  const late = pending.filter(isLate);
  if (!hasMorePages || !late.length) return results;
  const entry = late.reduce((oldest, other) => (other.lookedUpAt < oldest.lookedUpAt ? other : oldest));
  entry.lookedUpAt = Date.now();
  const image = await get(`images/${entry.id}`);
  return image ? [...results, [entry, image]] : results;
}
