// Deletes images, restores deleted images, and downloads many images as one zip.

import { call } from './api.js';
import { h, pause } from './dom.js';
import { MAX_ZIP_BYTES, Zip } from './zip.js';

// The maximum number of images per request.
const DELETED_AT_ONCE = 100;
const RESTORED_AT_ONCE = 50;
// A restored image is READY within seconds. While its deletion is still in progress, it is BUSY.
const RESTORED_WITHIN_MS = 60_000;
const RESTORE_WAIT_MS = 1_000;
const DOWNLOADS_AT_ONCE = 4;
const REVOKED_AFTER_MS = 60_000;

function chunksOf(list, size) {
  const starts = Array.from({ length: Math.ceil(list.length / size) }, (_, index) => index * size);
  return starts.map((start) => list.slice(start, start + size));
}

/** Deletes images in batches. Calls `onDeleted` with each deleted batch. Throws ApiError. */
export async function deleteImages(images, onDeleted) {
  for (const chunk of chunksOf(images, DELETED_AT_ONCE)) {
    await call('POST', 'images/delete', { image_ids: chunk.map(({ image_id: id }) => id) });
    onDeleted(chunk);
  }
}

/** Restores images. Returns the restored images. The others are permanently deleted. Throws ApiError. */
export async function restoreImages(ids) {
  const deadline = Date.now() + RESTORED_WITHIN_MS;
  const restored = [];
  for (const chunk of chunksOf(ids, RESTORED_AT_ONCE)) {
    let waiting = chunk;
    const started = [];
    while (waiting.length && Date.now() < deadline) {
      const { images } = await call('POST', 'images/restore', { image_ids: waiting });
      const idsWith = (status) => images.filter((image) => image.status === status).map(({ image_id: id }) => id);
      started.push(...idsWith('RESTORING'));
      waiting = idsWith('BUSY');
      if (waiting.length) await pause(RESTORE_WAIT_MS);
    }
    for (const id of started) restored.push(await readyImage(id, deadline));
  }
  return restored.filter(Boolean);
}

function nullIfMissing(error) {
  if (error.status !== 404) throw error;
  return null;
}

async function readyImage(id, deadline) {
  do {
    const image = await call('GET', `images/${id}`).catch(nullIfMissing);
    if (image) return image;
    await pause(RESTORE_WAIT_MS);
  } while (Date.now() < deadline);
  return null;
}

/** Returns whether images fit into one zip. */
export const fitsZip = (images) => images.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) < MAX_ZIP_BYTES;

/**
 * Downloads the originals of images as one zip. Returns the images that could not be downloaded.
 *
 * Calls `onProgress` with the number of finished images. `signal` aborts the download.
 */
export async function downloadZip(images, name, onProgress, signal) {
  const [zip, failed] = [new Zip(), []];
  const open = async ({ image_id: id }) => {
    const { original_url: url } = await call('GET', `images/${id}`, undefined, { signal });
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`S3 answered ${response.status}`);
    return response.body;
  };
  const opened = new Map();
  for (const [index, image] of images.entries()) {
    for (const next of images.slice(index, index + DOWNLOADS_AT_ONCE)) {
      // The loop below handles a failure when it reaches the image.
      if (!opened.has(next)) opened.set(next, open(next).catch(() => null));
    }
    const stream = await opened.get(image);
    if (signal.aborted) return failed;
    const isAdded = stream && (await zip.add(image.filename, image.taken_at, stream).then(() => true, () => false));
    if (!isAdded) failed.push(image);
    onProgress(index + 1);
  }
  if (failed.length < images.length && !signal.aborted) save(zip.end(), name);
  return failed;
}

function save(blob, name) {
  const link = h('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  // The browser reads the address after the click, at a time that it does not report.
  setTimeout(() => URL.revokeObjectURL(link.href), REVOKED_AFTER_MS);
}
