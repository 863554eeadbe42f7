// Asks for new images of others, rarely while nothing changes, and hardly ever while the page is hidden.

import { callIfChanged } from './api.js';

const FIRST_WAIT_MS = 10_000;
const LAST_WAIT_MS = 60_000;
const HIDDEN_WAIT_MS = 300_000;
const PAGE_SIZE = 20;
// After a longer absence the page asks for this many new images; older ones appear after a reload.
const MAX_PAGES = 10;

export class Live {
  /** `addImages(images)` takes images and returns how many of them are new. `onError(error)` returns true to stop. */
  constructor({ addImages, onError }) {
    Object.assign(this, { addImages, onError, timer: 0, wait: FIRST_WAIT_MS, etags: {}, isRunning: false });
    document.addEventListener('visibilitychange', () => this.isRunning && !document.hidden && this.ask());
  }

  start() {
    [this.isRunning, this.wait] = [true, FIRST_WAIT_MS];
    this.plan();
  }

  stop() {
    this.isRunning = false;
    clearTimeout(this.timer);
  }

  plan() {
    clearTimeout(this.timer);
    if (this.isRunning) this.timer = setTimeout(() => this.ask(), document.hidden ? HIDDEN_WAIT_MS : this.wait);
  }

  async ask() {
    clearTimeout(this.timer);
    let count = 0;
    try {
      for (const status of ['READY', 'REJECTED']) count += await this.newImages(status);
    } catch (error) {
      if (this.onError(error)) return this.stop();
    }
    this.wait = count ? FIRST_WAIT_MS : Math.min(LAST_WAIT_MS, this.wait * 1.5);
    return this.plan();
  }

  /** Adds the newest images of a status. Goes on while whole pages are new. Returns how many are new. */
  async newImages(status) {
    let [count, cursor] = [0, ''];
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = new URLSearchParams({ status, order: 'added', limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) });
      const answer = await callIfChanged(`images?${query}`, cursor ? undefined : this.etags[status]);
      if (!answer) return count;
      if (!cursor) this.etags[status] = answer.etag;
      const added = this.addImages(answer.body.images);
      count += added;
      cursor = answer.body.next_cursor;
      if (added < PAGE_SIZE || !cursor) return count;
    }
    return count;
  }
}
