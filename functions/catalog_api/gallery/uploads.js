// The queue of uploads: each file from its choice until the image is READY or REJECTED.

import { ApiError, call } from './api.js';
import { Connection } from './connection.js';
import { pause } from './dom.js';
import { problemOf, typeOf } from './files.js';
import { fingerprintOf } from './fingerprint.js';
import { findResults } from './results.js';
import { utcOffset } from './texts.js';
import { uploadFile } from './transfer.js';
import { FINAL_STATES, Tray } from './tray.js';

const MAX_CONCURRENT = 4;
// With the back-off below, a file is tried again for about half a minute while the API answers.
const MAX_ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 1_000;
const SLOW_AFTER_MS = 180_000;
const READY_SHOWN_MS = 900;
const MAX_FILENAME_LENGTH = 255;

// The states of a file that is being uploaded or is uploaded.
const SENT_STATES = new Set(['sending', 'sent', 'slow', 'ready']);

export class Uploads {
  /**
   * `onResult(image)` is called for each image that is READY or REJECTED. `handleRefusal(error)` shows the sign-in and
   * returns true if the error means that the caller must sign in again.
   */
  constructor(config, { onResult, handleRefusal }) {
    Object.assign(this, { config, onResult, handleRefusal });
    this.entries = [];
    // The queue pauses without a key, without a connection, or if the user chooses so.
    this.isRefused = false;
    this.isPausedByUser = false;
    this.isPolling = false;
    this.connection = new Connection(() => {
      this.tray.drawSummary();
      this.sendNext();
      this.poll();
    });
    this.tray = new Tray(this);
  }

  /** Queues files for upload. Refuses files that cannot be photos. */
  add(files) {
    for (const file of files) {
      const problem = problemOf(file, this.config);
      const type = typeOf(file, this.config.types);
      const entry = { file, type, problem, state: 'waiting', share: 0, attempts: 0, sentAt: 0, lookedUpAt: 0 };
      if (problem) entry.state = 'refused';
      this.entries.push(entry);
      this.tray.draw(entry);
    }
    this.sendNext();
    this.tray.drawSummary();
  }

  get canSend() {
    return !this.isRefused && !this.isPausedByUser && this.connection.isOnline;
  }

  /** Returns the name of the text with the number of sent files. */
  get nameOfProgress() {
    if (this.isPausedByUser) return this.sending.length ? 'uploadingPausing' : 'uploadingPaused';
    return this.connection.isOnline ? 'uploading' : 'uploadingOffline';
  }

  get sending() {
    return this.entries.filter(({ state }) => state === 'sending');
  }

  sendNext() {
    while (this.canSend && this.sending.length < MAX_CONCURRENT) {
      const entry = this.entries.find(({ state, isRetried }) => state === 'waiting' && !isRetried);
      if (!entry) return;
      this.send(entry);
    }
  }

  /** Stops all uploads if an error means that the caller must sign in again. Returns whether it means that. */
  stopIfRefused(error) {
    const isRefusal = this.handleRefusal(error);
    this.isRefused ||= isRefusal;
    return isRefusal;
  }

  /** Continues after the caller has signed in. */
  resume() {
    this.isRefused = false;
    this.sendNext();
    this.poll();
  }

  async send(entry) {
    const sending = new AbortController();
    const { signal } = sending;
    Object.assign(entry, { sending, share: 0, isRetried: false });
    this.setState(entry, 'sending');
    try {
      const upload = await this.request(entry, signal);
      if (!upload) return this.sendNext();
      await uploadFile(upload, entry.file, (share) => this.setShare(entry, share), signal);
      Object.assign(entry, { id: upload.image_id, sentAt: Date.now(), share: 1 });
      this.setState(entry, 'sent');
      this.poll();
    } catch (error) {
      if (!signal.aborted) await this.recover(entry, error);
    }
    this.sendNext();
  }

  /** Returns the form for a file, or null if the gallery or this batch already has the same bytes. Throws ApiError. */
  async request(entry, signal) {
    if (!entry.isWanted) entry.sha256 ??= await fingerprintOf(entry.file);
    if (signal.aborted) throw new ApiError(0);
    const isSame = (other) => other !== entry && other.sha256 === entry.sha256 && SENT_STATES.has(other.state);
    const twin = entry.sha256 && !entry.isWanted && this.entries.find(isSame);
    if (twin) return this.setDuplicate(entry);
    // A longer name is cut at its start, because the extension decides the type.
    const filename = entry.file.name.slice(-MAX_FILENAME_LENGTH);
    const request = { filename, content_type: entry.type, bytes: entry.file.size, utc_offset: utcOffset() };
    if (entry.sha256 && !entry.isWanted) request.sha256 = entry.sha256;
    try {
      return await call('POST', 'uploads', request, { signal, attempts: 1 });
    } catch (error) {
      if (error.status !== 409) throw error;
      return this.setDuplicate(entry, error.problem.image_id);
    }
  }

  /** Stops before the upload of a file that the gallery already has. The user skips it or uploads it anyway. */
  setDuplicate(entry, id) {
    entry.twinId = id;
    this.setState(entry, 'duplicate');
    return null;
  }

  /** Uploads a file although the gallery already has it. */
  sendAnyway(entry) {
    entry.isWanted = true;
    this.retry(entry);
  }

  /** Decides what follows a failed attempt: a sign-in, waiting for the connection, another attempt, or the end. */
  async recover(entry, error) {
    if (this.stopIfRefused(error)) return this.setState(entry, 'waiting');
    // S3 refuses an expired form (403), and a new form may succeed. Other refusals are permanent.
    const isLasting = error.status >= 400 && error.status < 500 && ![403, 408, 429].includes(error.status);
    entry.share = 0;
    if (!isLasting && !error.status && !(await this.connection.check())) return this.setState(entry, 'waiting');
    if (entry.state !== 'sending') return undefined;
    entry.attempts += 1;
    if (isLasting || entry.attempts === MAX_ATTEMPTS) return this.setState(entry, 'failed');
    entry.isRetried = true;
    this.setState(entry, 'waiting');
    return pause(FIRST_BACKOFF_MS * 2 ** entry.attempts).then(() => {
      entry.isRetried = false;
      if (entry.state === 'waiting') this.tray.draw(entry);
    });
  }

  setShare(entry, share) {
    entry.share = entry.bar.value = share;
    this.tray.drawBytes();
  }

  setState(entry, state) {
    if (entry.isDismissed) return;
    entry.state = state;
    this.tray.draw(entry);
    this.tray.drawSummary();
  }

  /** Pauses or continues. Files that are being sent are finished, because a POST to S3 cannot be resumed. */
  togglePause() {
    this.isPausedByUser = !this.isPausedByUser;
    this.tray.drawSummary();
    this.sendNext();
  }

  /** Removes a file that is not sent yet from the queue. */
  cancel(entry) {
    entry.sending?.abort();
    entry.isCancelled = true;
    this.dismiss(entry);
    this.sendNext();
  }

  cancelAll() {
    this.isPausedByUser = false;
    const unsent = this.entries.filter(({ state }) => ['waiting', 'sending'].includes(state));
    // Remove all of them from the queue first, so that none starts while the others end.
    unsent.forEach((entry) => (entry.isCancelled = true));
    this.entries = this.entries.filter((entry) => !unsent.includes(entry));
    unsent.forEach((entry) => this.cancel(entry));
  }

  retry(entry) {
    entry.attempts = 0;
    this.setState(entry, 'waiting');
    this.sendNext();
  }

  retryAll() {
    const failed = this.entries.filter(({ state, isDismissed }) => state === 'failed' && !isDismissed);
    failed.forEach((entry) => this.retry(entry));
  }

  /** Polls until every sent file has a result or is dismissed. Polls less often while no results come. */
  async poll() {
    if (this.isPolling) return;
    this.isPolling = true;
    let wait = 400;
    for (;;) {
      await pause(wait);
      const pending = this.pendingEntries;
      if (this.isRefused || !this.connection.isOnline || !pending.length) break;
      const results = await findResults(pending, (error) => this.stopIfRefused(error));
      results.forEach(([entry, image]) => this.finish(entry, image));
      const isSlow = ({ state, sentAt }) => state === 'sent' && Date.now() - sentAt > SLOW_AFTER_MS;
      pending.filter(isSlow).forEach((entry) => this.setState(entry, 'slow'));
      wait = results.length ? 300 : Math.min(8000, wait * 1.5);
    }
    this.isPolling = false;
  }

  /** Returns the files that are sent and have no result yet. */
  get pendingEntries() {
    return this.entries.filter((entry) => ['sent', 'slow'].includes(entry.state) && !entry.isDismissed);
  }

  finish(entry, image) {
    const isReady = image.status === 'READY';
    entry.image = image;
    this.setState(entry, isReady ? 'ready' : 'rejected');
    this.onResult(image);
    if (isReady) setTimeout(() => this.dismiss(entry), READY_SHOWN_MS);
  }

  dismiss(entry) {
    entry.isDismissed = true;
    if (entry.isCancelled) this.entries = this.entries.filter((other) => other !== entry);
    if (this.entries.every(({ isDismissed }) => isDismissed)) {
      this.entries = [];
      this.isPausedByUser = false;
    }
    this.tray.remove(entry);
  }

  dismissFinished() {
    const isFinished = (entry) => FINAL_STATES.has(entry.state) && !entry.isDismissed;
    this.entries.filter(isFinished).forEach((entry) => this.dismiss(entry));
  }

  /** Returns the number of bytes in the batch, and how many of them are sent. */
  get bytes() {
    const counted = this.entries.filter(({ state }) => !['refused', 'duplicate'].includes(state));
    const sum = (sizeOf) => counted.reduce((total, entry) => total + sizeOf(entry), 0);
    return { sent: sum(({ file, share }) => file.size * share), all: sum(({ file }) => file.size) };
  }

  redraw() {
    this.tray.redraw();
  }

  /** Returns whether leaving the page now would lose uploads. */
  get isBusy() {
    return this.entries.some(({ state }) => ['waiting', 'sending'].includes(state));
  }
}
