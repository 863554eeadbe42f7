// Sends a file to S3 with a presigned POST.

import { ApiError } from './api.js';

/** After this time without progress, an upload counts as stalled. */
const STALLED_AFTER_MS = 30_000;

/**
 * Uploads a file. Calls `onProgress` with the share that is sent, from 0 to 1. `signal` aborts it.
 *
 * Throws ApiError, with status 0 if S3 does not answer or if nothing is sent for 30 seconds.
 *
 * Uses XMLHttpRequest because fetch does not report the progress of an upload.
 */
export function uploadFile({ url, fields }, file, onProgress, signal) {
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  // S3 ignores fields that come after the file.
  form.append('file', file);
  const request = new XMLHttpRequest();
  let [watchdog, sentBytes] = [0, 0];
  const sending = new Promise((resolve, reject) => {
    const fail = (status) => reject(new ApiError(status));
    const watch = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => fail(0), STALLED_AFTER_MS);
    };
    request.upload.addEventListener('progress', ({ lengthComputable, loaded, total }) => {
      if (loaded > sentBytes) watch();
      sentBytes = loaded;
      if (lengthComputable) onProgress(loaded / total);
    });
    request.addEventListener('load', () => (request.status < 300 ? resolve() : fail(request.status)));
    request.addEventListener('error', () => fail(0));
    signal.addEventListener('abort', () => fail(0));
    request.open('POST', url);
    request.send(form);
    watch();
  });
  return sending.finally(() => {
    clearTimeout(watchdog);
    // Has no effect on a request that has ended (XMLHttpRequest Standard).
    request.abort();
  });
}
